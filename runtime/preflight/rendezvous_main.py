"""The nodes meet at the port that the ranks will use, before a launcher takes it; then all start, or all exit.

`python -m trainwright.runtime.preflight.rendezvous_main --bundle DIR --run DIR --rank N --nodes N --address HOST
--port N`, on every node. The port must be free on the first node and within reach of the others, and each node must
have its devices. Without this a launcher fails with a traceback on one node and waits for half an hour on all others.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from ...spec.exit_codes import Exit
from ...spec.plain_screen import guard_screens
from ...spec.plan import Plan, read_plan
from ...spec.problem import InputError
from ...spec.run_token import run_token
from .check_result import CheckResult
from .devices import check_devices
from .rendezvous import NodeReport, PortTakenError, Timeouts, Verdict, report_to_first_node, serve
from .table import show

LONGEST_TROUBLE = 500  # characters of what keeps a node from training: it has to fit a line


def main(arguments: Sequence[str] | None = None) -> int:
    """Meet the other nodes; a line of the table on the first node, and on every node when not all can start."""
    parser = argparse.ArgumentParser(prog="trainwright.runtime.preflight.rendezvous_main", description=__doc__)
    for name in ("bundle", "run"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("rank", "nodes", "port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--address", required=True)
    for name, seconds in Timeouts()._asdict().items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=seconds)
    options = parser.parse_args(arguments)
    guard_screens(lossy=True)
    try:
        own = failed_checks(read_plan(options.bundle))
    except InputError as error:
        show([CheckResult("bundle", "fail", problem.message, problem.remedy) for problem in error.problems])
        return error.exit_code
    verdict, finding = meet(options, "; ".join(f"{trouble.name}: {trouble.seen}" for trouble in own))
    if options.rank == 0 or verdict is not Exit.DONE:
        show([*own, finding])
    return verdict


def failed_checks(plan: Plan) -> list[CheckResult]:
    """What keeps this node from taking part."""
    return [finding for finding in check_devices(plan) if finding.state == "fail"]


def meet(options: argparse.Namespace, trouble: str) -> tuple[Exit, CheckResult]:
    """The code that this node continues or exits with, and why."""
    where = f"{options.port} on {options.address}"
    options.run.mkdir(parents=True, exist_ok=True)
    report = NodeReport(run_token(options.run), options.rank, socket.gethostname(), trouble[:LONGEST_TROUBLE])
    timeouts = Timeouts(options.port_seconds, options.nodes_seconds)
    try:
        if options.rank == 0:
            verdict = serve(report, (options.address, options.port), options.nodes, timeouts)
        else:
            verdict = report_to_first_node(report, (options.address, options.port), timeouts)
    except PortTakenError as error:
        remedy = f"an earlier run may still hold it; find it with: ss -ltnp 'sport = :{options.port}'"
        return Exit.INPUT, CheckResult("port", "fail", f"{where}: {error}", remedy)
    except OSError as error:
        verdict = Verdict(Exit.PEER_LOST, f"not reached: {error}")
    code = Exit(verdict.code)
    return code, CheckResult("port", "fail" if code else "pass", f"{where}: {verdict.text}", _REMEDIES[code])


_REMEDIES = {
    Exit.DONE: "",
    Exit.INPUT: "no node starts unless all can: see what that node says",
    Exit.PEER_LOST: "a firewall, a wrong address, or a node that did not start",
}


if __name__ == "__main__":
    sys.exit(main())

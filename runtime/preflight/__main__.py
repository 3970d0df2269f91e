"""`python -m trainwright.runtime.preflight --bundle DIR --run DIR`: the checks as a table; exit 2 when one fails.

Started by itself it looks at this machine; as a rank of a launcher, at all nodes and the network between them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ...spec.exit_codes import Exit, code_of_unusable
from ...spec.plain_screen import guard_screens
from ...spec.plan import Plan, read_plan
from ...spec.problem import InputError
from .check_result import CheckResult
from .machine import check_machine
from .table import show


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check that applies and print the table."""
    parser = argparse.ArgumentParser(prog="trainwright.runtime.preflight", description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args(arguments)
    guard_screens(lossy=True)
    try:
        rank, findings = _check(read_plan(options.bundle), options.run)
    except InputError as error:
        show([CheckResult("bundle", "fail", problem.message, problem.remedy) for problem in error.problems])
        return error.exit_code
    except OSError as error:
        code = code_of_unusable(error)
        remedy = "free space, or choose another run folder" if code is Exit.STORAGE else "name a place that exists"
        show([CheckResult("files", "fail", str(error), remedy)])
        return code
    if rank == 0:
        show(findings)
    return Exit.INPUT if any(finding.state == "fail" for finding in findings) else Exit.DONE


def _check(plan: Plan, run: Path) -> tuple[int, list[CheckResult]]:
    """This rank, and what it knows of this machine, or of all nodes. Raises OSError when the disk refuses."""
    run.mkdir(parents=True, exist_ok=True)
    if "RANK" in os.environ:
        from .all_nodes import check_all_nodes

        return check_all_nodes(plan, run)
    return 0, check_machine(plan, run)


if __name__ == "__main__":
    sys.exit(main())

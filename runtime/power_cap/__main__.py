"""The command line of the power cap: see the package."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ...spec.exit_codes import Exit
from ...spec.plain_screen import guard_screens
from ...spec.plan import read_plan
from ...spec.problem import InputError
from . import __doc__ as description
from .gpu_limits import apply, read, restore
from .guard import identity, wait
from .record import NodePowerCap

REASON = {
    "sudo": "it takes `sudo -n nvidia-smi` without a password",
    "site-flag": "the scheduler's flag should have set it",
    "prolog-file": "the site's prolog should have set it",
    "daemonset": "the cluster's daemon should have set it",
    "assume-set": "the spec says that it is set already",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. A cap that is not in force is no failure: it is reported."""
    parser = argparse.ArgumentParser(
        prog="trainwright.runtime.power_cap", description=(description or "").partition("\n")[0]
    )
    parser.add_argument("command", choices=("apply", "read", "restore", "guard"))
    parser.add_argument("--bundle", type=Path, default=Path(), help="folder with plan.json")
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--owner", default=str(os.getppid()), help="process whose end ends the cap; default the caller")
    given = parser.parse_args(arguments)
    guard_screens(lossy=True)
    try:
        match given.command:
            case "apply":
                _say(describe_applied(apply(read_plan(given.bundle), given.run, identity(int(given.owner)))))
            case "read":
                print(read(read_plan(given.bundle)).model_dump_json(indent=2))  # noqa: T201 - this is the answer
            case "restore":
                _say(describe_restored(restore(given.run)))
            case _:
                if wait(given.run, given.owner):
                    restore(given.run, given.owner)
    except InputError as error:
        _say(f"nothing was changed: {error.problems[0].message}")
        return error.exit_code
    except OSError as error:
        _say(f"nothing was changed: {error}")
        return Exit.STORAGE
    return Exit.DONE


def describe_applied(record: NodePowerCap) -> str:
    """Whether the cap is in force, in one line."""
    if record.power_cap_watts is None:
        return "none was asked for"
    enforced = [limit.enforced_watts for limit in record.gpus]
    known = [watts for watts in enforced if watts is not None]
    shown = f"{max(known):g} W" if known and len(known) == len(enforced) else "unknown"
    line = f"asked for {record.power_cap_watts:g} W, enforced {shown} on {record.host}"
    if record.applied:
        return line
    silent = "" if record.gpus else "no GPU answers here"
    problem = (
        silent
        or next((limit.problem for limit in record.gpus if limit.problem), "")
        or REASON.get(record.mode, record.mode)
    )
    return f"{'NOT IN FORCE' if record.applied is False else 'UNKNOWN'}: {line}; {problem}"


def describe_restored(record: NodePowerCap | None) -> str:
    """What was restored, in one line; nothing when there was nothing to restore."""
    if record is None:
        return ""
    problems = [limit.problem for limit in record.gpus if limit.problem]
    return f"NOT RESTORED on {record.host}: {problems[0]}" if problems else f"restored on {record.host}"


def _say(line: str) -> None:
    if line:
        print(f"power cap: {line}", file=sys.stderr)  # noqa: T201 - for the job's log


if __name__ == "__main__":
    sys.exit(main())

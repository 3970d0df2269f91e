"""When a run that ended is started again: after a lost process, as long as it still gets further.

Used by the supervisor on one machine, and by the Slurm script, which asks with the code of a failed start:
`python -m trainwright.runtime.launch.restart --run DIR --code N`. Exit 0 means start again, else leave with that code.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ...spec.exit_codes import FINAL, Exit
from ...spec.run_folder import RunFolder, read_events

MAX_STALLED_STARTS = 3  # starts in a row without a new step, as NVIDIA's resiliency extension
HOST_TIMEOUT = 600  # seconds for all hosts to answer again: a server with GPUs boots in five to ten minutes


def furthest_step(run: RunFolder) -> int:
    """The highest step that the run ever finished; 0 before the first."""
    try:
        return max((int(event["step"]) for event in read_events(run.events) if event["kind"] == "step"), default=0)
    except OSError:
        return 0


def final_exit_code(run: RunFolder, code: int) -> int | None:
    """The code to leave with after an end with `code`, None to start again. Counts starts without progress."""
    if code in FINAL:
        return code
    record, step = run.path / "restarts.json", furthest_step(run)
    try:
        last = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        last = {"step": 0, "stalled": 0}
    stalled = last["stalled"] + 1 if step <= last["step"] else 0
    record.write_text(json.dumps({"step": step, "stalled": stalled}), encoding="utf-8")
    return Exit.NO_PROGRESS if stalled >= MAX_STALLED_STARTS else None


def main() -> int:
    """The verdict as an exit code."""
    parser = argparse.ArgumentParser(description=final_exit_code.__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--code", type=int, required=True)
    options = parser.parse_args()
    return final_exit_code(RunFolder(options.run), options.code) or 0


if __name__ == "__main__":
    sys.exit(main())

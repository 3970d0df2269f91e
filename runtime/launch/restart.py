"""When a run that ended is started again: after a lost process, as long as it still gets further.

Used by the supervisor on one machine, and by the Slurm script, which asks with the code of a failed start:
`python -m trainwright.runtime.launch.restart --run DIR --code N`. Exit 0 means start again, else exit with that code.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.events import StepEvent, read_events
from ...spec.exit_codes import FINAL, Exit
from ...spec.foreign_files import read_json
from ...spec.run_folder import RunFolder

MAX_STALLED_STARTS = 3  # starts in a row without a new step, as NVIDIA's resiliency extension
HOST_TIMEOUT = 600  # seconds for all hosts to answer again: a server with GPUs boots in five to ten minutes


def furthest_step(run: RunFolder) -> int:
    """The highest step that the run ever finished; 0 before the first."""
    try:
        return max((event.step or 0 for event in read_events(run.events) if isinstance(event, StepEvent)), default=0)
    except OSError:
        return 0


def final_exit_code(run: RunFolder, code: int) -> int | None:
    """The exit code after an end with `code`, None to start again. Counts starts without progress."""
    if code in FINAL:
        return code
    record, step = run.path / "restarts.json", furthest_step(run)
    before, stalls = _last(record)
    stalled = stalls + 1 if step <= before else 0
    write_atomically(record, json.dumps({"step": step, "stalled": stalled}).encode())
    return Exit.NO_PROGRESS if stalled >= MAX_STALLED_STARTS else None


def _last(record: Path) -> tuple[int, int]:
    """Step and stalled starts at the last end; nothing where there was none, or the file holds something else."""
    try:
        match read_json(record, 4096):
            case {"step": int(step), "stalled": int(stalled)}:
                return step, stalled
            case _:
                return 0, 0
    except (OSError, ValueError):
        return 0, 0


def main() -> int:
    """The verdict as an exit code."""
    parser = argparse.ArgumentParser(description=final_exit_code.__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--code", type=int, required=True)
    options = parser.parse_args()
    return final_exit_code(RunFolder(options.run), options.code) or 0


if __name__ == "__main__":
    sys.exit(main())

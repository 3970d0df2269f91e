"""Trainwright's own loop as it is: DeepSpeed, event log, meter, replica and spike checks included. BUNDLE RUN STEPS."""

import shutil
import sys
from pathlib import Path

from timing import Clock

from trainwright.runtime.parallel.world import init_process_group
from trainwright.runtime.train.__main__ import train_step
from trainwright.runtime.train.setup import build_session
from trainwright.spec.events import StepEvent, read_events
from trainwright.spec.plan import read_plan
from trainwright.spec.run_folder import RunFolder


def main(bundle: Path, run: RunFolder, steps: int) -> None:
    """Train from scratch for some steps; the run folder keeps its tokenizer and shards."""
    run.events.unlink(missing_ok=True)
    shutil.rmtree(run.checkpoints, ignore_errors=True)
    plan = read_plan(bundle)
    session = build_session(bundle, plan, run, init_process_group(plan))
    clock = Clock()
    for _ in range(steps):
        train_step(session)
        clock.step()
    session.close()
    clock.report([event.loss for event in read_events(run.events) if isinstance(event, StepEvent)])


if __name__ == "__main__":
    main(Path(sys.argv[1]), RunFolder(Path(sys.argv[2])), int(sys.argv[3]))

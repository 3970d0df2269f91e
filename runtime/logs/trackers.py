"""Sends a run's curves to Weights & Biases or MLflow, from its event log: while the run lasts, or afterwards.

    python -m trainwright.runtime.logs.trackers --run RUN_FOLDER --to wandb [--project NAME]

It is a process of its own, so that a tracking server that is slow or gone never slows or stops the training: started
again, it sends what is missing there. A launch starts it where the spec has `logging`. Credentials come from the
environment that the tracker itself documents (WANDB_API_KEY, MLFLOW_TRACKING_USERNAME); so do server and mode where
nothing else is set (WANDB_MODE, MLFLOW_TRACKING_URI). Needs the extra `wandb` or `mlflow`.
"""

from __future__ import annotations

import argparse
import select
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ...spec.events import StartEvent, StepEvent, StopEvent
from ...spec.exit_codes import Exit
from ...spec.foreign_files import read_json
from ...spec.run_folder import RunFolder
from ...spec.run_progress import EventFollower
from ...spec.tracking import Logging
from .tensorboard import scalars
from .tracker_packages import TRACKERS, Tracker

PERIOD = 5.0  # seconds between two looks at the log


def options_of(logging: Logging) -> dict[str, list[str]]:
    """The trackers that a spec asks for, each with its options on our command line."""
    asked: dict[str, list[str]] = {}
    every = f"--every={logging.every.value:.0f}"
    if wandb := logging.wandb:
        entity = [f"--entity={wandb.entity}"] if wandb.entity else []
        asked["wandb"] = [every, f"--project={wandb.project}", f"--mode={wandb.mode}", *entity]
    if mlflow := logging.mlflow:
        server = [f"--server={mlflow.server}"] if mlflow.server else []
        asked["mlflow"] = [every, f"--project={mlflow.experiment}", *server]
    return asked


def send_events(log: EventFollower, sink: Tracker, every: int = 1, *, launched: bool = False) -> None:
    """Send every curve until the run has stopped; `launched`: until its launch has, as a stop may be an older one's."""
    stopped = ended = False
    while True:
        for event in log.new_events():
            stopped = isinstance(event, StopEvent) or (stopped and not isinstance(event, StartEvent))
            step = event.step or 0
            skipped = isinstance(event, StepEvent) and step % every
            if not skipped and (values := scalars(event)):
                sink.send(step, values)
        if ended or (stopped and not launched):
            return
        ended = _launch_has_ended() if launched else _pause()


def main(arguments: Sequence[str] | None = None) -> int:
    """Send one run; the exit code."""
    given = _parser().parse_args(arguments)
    run = RunFolder(given.run.resolve())
    settings = read_json(run.plan) if run.plan.exists() else {}
    if given.launched:  # what stops a run is not for us: its last points are still to come
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            signal.signal(number, signal.SIG_IGN)
    try:
        sink = TRACKERS[given.to](given, run.path.name, settings, run.path)
    except ModuleNotFoundError as error:
        print(f"{error}: pip install 'trainwright[{given.to}]'", file=sys.stderr)  # noqa: T201 - the whole answer
        return Exit.INPUT
    try:
        send_events(EventFollower(run.events), sink, given.every, launched=given.launched)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    finally:
        sink.close()
    return Exit.DONE


def _parser() -> argparse.ArgumentParser:
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="trainwright.runtime.logs.trackers", description=about)
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--to", choices=sorted(TRACKERS), required=True, help="the tracker")
    parser.add_argument("--project", default="trainwright", help="project or experiment there")
    parser.add_argument("--entity", help="wandb: user or team")
    parser.add_argument("--mode", choices=("online", "offline"), help="wandb: send, or write into the run folder")
    parser.add_argument("--server", help="mlflow: address of the tracking server")
    parser.add_argument("--every", type=int, default=1, help="steps between two points")
    parser.add_argument("--launched", action="store_true", help="end when standard input does, and with no signal")
    return parser


def _pause() -> bool:
    """Wait for the next look at the log."""
    time.sleep(PERIOD)
    return False


def _launch_has_ended() -> bool:
    """The same, and whether the launch that started us has closed our standard input."""
    return bool(select.select([sys.stdin], [], [], PERIOD)[0])


if __name__ == "__main__":
    sys.exit(main())

"""Sends a run's curves to Weights & Biases or MLflow, from its event log: while the run goes on, or afterwards.

    python -m trainwright.runtime.logs.trackers --run RUN_FOLDER --to wandb [--project NAME]

It is a process of its own, so that a tracking server that is slow or gone never slows or stops the training: start it
again and it sends the log from the beginning. Credentials, server and offline mode come from the environment that the
tracker itself documents (WANDB_API_KEY, WANDB_MODE, MLFLOW_TRACKING_URI). Needs the extra `wandb` or `mlflow`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from ...spec.events import StopEvent
from ...spec.exit_codes import Exit
from ...spec.foreign_files import read_json
from ...spec.run_folder import RunFolder
from ...spec.run_progress import EventFollower
from .tensorboard import scalars

PERIOD = 5.0  # seconds between two looks at the log


class Tracker(Protocol):
    """Where curves go."""

    def send(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each named curve."""
        ...

    def close(self) -> None:
        """Send what is still waiting."""
        ...


class WandbTracker:
    """A Weights & Biases run; sending again goes on with the same one."""

    def __init__(self, project: str, name: str, settings: Mapping[str, Any], folder: Path) -> None:
        self._run: Any = import_module("wandb").init(
            project=project, name=name, id=name, resume="allow", config=dict(settings), dir=str(folder)
        )

    def send(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each named curve."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


class MlflowTracker:
    """An MLflow run in the experiment of the project's name."""

    def __init__(self, project: str, name: str, settings: Mapping[str, Any], folder: Path) -> None:
        del folder
        self._mlflow: Any = import_module("mlflow")
        self._mlflow.set_experiment(project)
        self._mlflow.start_run(run_name=name)
        self._mlflow.log_params(dict(_flat(settings)))

    def send(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each named curve."""
        self._mlflow.log_metrics(dict(values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._mlflow.end_run()


TRACKERS: dict[str, Callable[[str, str, Mapping[str, Any], Path], Tracker]] = {
    "wandb": WandbTracker,
    "mlflow": MlflowTracker,
}


def send_events(log: EventFollower, sink: Tracker) -> None:
    """Send every curve until the run has stopped."""
    while True:
        stopped = False
        for event in log.new_events():
            stopped = isinstance(event, StopEvent)
            if values := scalars(event):
                sink.send(event.step or 0, values)
        if stopped:
            return
        time.sleep(PERIOD)


def main(arguments: Sequence[str] | None = None) -> int:
    """Send one run; the exit code."""
    parser = argparse.ArgumentParser(
        prog="trainwright.runtime.logs.trackers", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    parser.add_argument("--to", choices=sorted(TRACKERS), required=True, help="the tracker")
    parser.add_argument("--project", default="trainwright", help="project or experiment there")
    given = parser.parse_args(arguments)
    run = RunFolder(given.run.resolve())
    settings = read_json(run.plan) if run.plan.exists() else {}
    try:
        sink = TRACKERS[given.to](given.project, run.path.name, settings, run.path)
    except ModuleNotFoundError as error:
        print(f"{error}: pip install 'trainwright[{given.to}]'", file=sys.stderr)  # noqa: T201 - the whole answer
        return Exit.INPUT
    try:
        send_events(EventFollower(run.events), sink)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    finally:
        sink.close()
    return Exit.DONE


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings under dotted names."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


if __name__ == "__main__":
    sys.exit(main())

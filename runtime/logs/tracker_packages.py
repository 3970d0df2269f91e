"""Where a run's curves go: Weights & Biases, or MLflow, each through its own package."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol


class Tracker(Protocol):
    """Where curves go."""

    def send(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each named curve."""
        ...

    def close(self) -> None:
        """Send what is still waiting."""
        ...


class WandbTracker:
    """A Weights & Biases run; sending again resumes the same one, which keeps the points that it has."""

    def __init__(self, given: argparse.Namespace, name: str, settings: Mapping[str, Any], folder: Path) -> None:
        place = {"project": given.project, "entity": given.entity, "mode": given.mode, "dir": str(folder)}
        self._run: Any = import_module("wandb").init(**place, name=name, id=name, resume="allow", config=dict(settings))

    def send(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each named curve."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


class MlflowTracker:
    """An MLflow run in the experiment of the project's name; sending again resumes it after its last point."""

    def __init__(self, given: argparse.Namespace, name: str, settings: Mapping[str, Any], folder: Path) -> None:
        del folder
        self._mlflow: Any = import_module("mlflow")
        if given.server:
            self._mlflow.set_tracking_uri(given.server)
        self._mlflow.set_experiment(given.project)
        found = self._mlflow.search_runs(filter_string=f"attributes.run_name = '{name}'", output_format="list")
        self._mlflow.start_run(run_id=found[0].info.run_id) if found else self._mlflow.start_run(run_name=name)
        if not found:
            self._mlflow.log_params(dict(_flat(settings)))
        self._sent = self._last_steps(found[0]) if found else {}

    def _last_steps(self, run: Any) -> dict[str, int]:
        history = self._mlflow.MlflowClient().get_metric_history
        return {name: max(point.step for point in history(run.info.run_id, name)) for name in run.data.metrics}

    def send(self, step: int, values: Mapping[str, float]) -> None:
        """Add a point to each named curve that has none for this step."""
        new = {name: value for name, value in values.items() if step > self._sent.get(name, -1)}
        self._mlflow.log_metrics(new, step=step)

    def close(self) -> None:
        """Finish the run."""
        self._mlflow.end_run()


TRACKERS: dict[str, Callable[[argparse.Namespace, str, Mapping[str, Any], Path], Tracker]] = {
    "wandb": WandbTracker,
    "mlflow": MlflowTracker,
}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings under dotted names."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value

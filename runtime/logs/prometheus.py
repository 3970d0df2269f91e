"""Prometheus metrics of a run, from its event log: over HTTP for a scraper, or as a file for node_exporter.

    python -m trainwright.runtime.logs.prometheus --run RUN_FOLDER --port 9464
    python -m trainwright.runtime.logs.prometheus --run RUN_FOLDER --textfile /var/lib/node_exporter/trainwright.prom

It reads the log and nothing else, so it may run beside the training, on another machine, or after the end, and can
disturb nothing. A number that is unknown has no sample, never a zero. Needs the extra `metrics`.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...spec.events import (
    CheckpointEvent,
    Event,
    FaultEvent,
    GapEvent,
    PhaseEvent,
    StartEvent,
    StepEvent,
    StopEvent,
    ValidationEvent,
)
from ...spec.exit_codes import Exit
from ...spec.run_folder import RunFolder
from ...spec.run_progress import EventFollower
from ...spec.units import JOULES_PER_KWH
from .prometheus_devices import DeviceMetrics

LATEST: dict[tuple[type[Event], str], tuple[str, str]] = {  # (event, field) -> gauge, meaning
    (StepEvent, "step"): ("step", "Last optimizer step."),
    (StepEvent, "tokens"): ("tokens", "Tokens trained on."),
    (StepEvent, "loss"): ("loss", "Training loss, nats per token."),
    (StepEvent, "grad_norm"): ("grad_norm", "Gradient norm before clipping."),
    (StepEvent, "learning_rate"): ("learning_rate", "Learning rate."),
    (StepEvent, "seconds"): ("step_seconds", "Duration of the last step."),
    (StepEvent, "tokens_per_second"): ("tokens_per_second", "Throughput of the last step."),
    (StepEvent, "mfu"): ("mfu_ratio", "Model FLOPs utilisation of the last step."),
    (StepEvent, "power_watts"): ("power_watts", "Power of all metered devices."),
    (StepEvent, "memory_bytes"): ("memory_bytes", "Peak memory of a device."),
    (StepEvent, "time"): ("last_step_timestamp_seconds", "When the last step ended."),
    (ValidationEvent, "loss"): ("validation_loss", "Held-out loss, nats per token."),
    (CheckpointEvent, "step"): ("checkpoint_step", "Step of the newest checkpoint."),
    (CheckpointEvent, "time"): ("checkpoint_timestamp_seconds", "When the newest checkpoint was written."),
    (StartEvent, "world_size"): ("devices", "Devices in the run."),
    (StartEvent, "measured"): ("energy_measured", "1 if an instrument measures the energy, 0 if it is assumed."),
    (StopEvent, "exit_code"): ("exit_code", "How the run ended; absent while it runs."),
}
COUNTERS = {  # counter -> label, meaning
    "attempts": (None, "Starts of the run."),
    "faults": (None, "Faults reported."),
    "energy_joules": (None, "Energy of the metered devices over all attempts."),
    "unmetered_seconds": ("device", "Seconds that no meter covers, by device; all: every device."),
    "phase_seconds": ("phase", "Time by what the run was doing."),
    "phase_energy_joules": ("phase", "Energy by what the run was doing."),
}
Key = tuple[str, str]  # a metric and the value of its label


class RunMetrics(Collector):
    """The state of a run, brought up to date whenever it is scraped."""

    def __init__(self, run: Path) -> None:
        self._name = run.resolve().name
        self._log = EventFollower(RunFolder(run).events)
        self._lock = threading.Lock()
        self._latest: dict[str, float] = {}
        self._counted: dict[Key, float] = defaultdict(float)
        self._devices = DeviceMetrics(self._name)

    def collect(self) -> Iterator[Metric]:
        """Read the events since the last scrape, then give every metric that is known."""
        with self._lock:
            for event in self._log.new_events():
                self._take(event)
            yield from self._gauges()
            yield from self._counters()
            yield from self._devices.collect()

    def _take(self, event: Event) -> None:
        if isinstance(event, StartEvent):
            self._latest.pop("exit_code", None)
        self._devices.take(event)
        for (kind, field), (name, _) in LATEST.items():
            if isinstance(event, kind) and (value := getattr(event, field)) is not None:
                self._latest[name] = float(value)
        for key, amount in _amounts(event):
            self._counted[key] += amount
        if isinstance(event, StepEvent | StopEvent) and event.energy_kwh is not None:
            self._counted["energy_joules", ""] = event.energy_kwh * JOULES_PER_KWH

    def _gauges(self) -> Iterator[Metric]:
        for name, meaning in LATEST.values():
            if name in self._latest:
                family = GaugeMetricFamily(f"trainwright_{name}", meaning, labels=["run"])
                family.add_metric([self._name], self._latest[name])
                yield family

    def _counters(self) -> Iterator[Metric]:
        for name, (label, meaning) in COUNTERS.items():
            samples = {value: amount for (metric, value), amount in self._counted.items() if metric == name}
            family = CounterMetricFamily(f"trainwright_{name}", meaning, labels=["run", *([label] if label else [])])
            for value, amount in samples.items():
                family.add_metric([self._name, *([value] if label else [])], amount)
            if samples:
                yield family


def _amounts(event: Event) -> Iterator[tuple[Key, float]]:
    """What an event adds to the counters."""
    match event:
        case StartEvent():
            yield ("attempts", ""), 1.0
        case FaultEvent():
            yield ("faults", ""), 1.0
        case GapEvent(start=float(start), end=float(end)):
            yield ("unmetered_seconds", event.device), end - start
        case PhaseEvent(seconds=float(seconds)):
            yield ("phase_seconds", event.name), seconds
            if event.energy_kwh is not None:
                yield ("phase_energy_joules", event.name), event.energy_kwh * JOULES_PER_KWH
        case _:
            pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the metrics until interrupted, or write them once; the exit code."""
    parser = argparse.ArgumentParser(
        prog="trainwright.runtime.logs.prometheus", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--run", type=Path, required=True, help="run folder")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--port", type=int, help="serve over HTTP on this port")
    how.add_argument("--textfile", type=Path, help="write them to this file, once")
    parser.add_argument("--address", default="127.0.0.1", help="address to serve on (default: this machine only)")
    given = parser.parse_args(arguments)
    registry = CollectorRegistry()
    registry.register(RunMetrics(given.run))
    if given.textfile:
        write_to_textfile(str(given.textfile), registry)
        return Exit.DONE
    server, thread = start_http_server(given.port, given.address, registry)
    try:
        thread.join()
    except KeyboardInterrupt:
        server.shutdown()
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(main())

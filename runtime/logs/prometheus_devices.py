"""Prometheus metrics of each rank's device, under the labels `rank` and `node`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ...spec.device_row import DeviceRow
from ...spec.events import DevicesEvent, Event, StartEvent

DEVICES = {  # field of a rank's row -> gauge, meaning
    "watts": ("device_power_watts", "Mean power of a rank's device over the last entry."),
    "clock_mhz": ("device_clock_mhz", "Mean clock of its multiprocessors."),
    "temperature_celsius": ("device_temperature_celsius", "Its highest temperature."),
    "memory_bytes": ("device_memory_bytes", "Most memory in use on it."),
    "power_capped": ("device_power_capped_ratio", "Share of the time that the power cap held it down."),
    "too_hot": ("device_too_hot_ratio", "Share of the time that heat held it down."),
    "slowed_by_hardware": ("device_slowed_by_hardware_ratio", "Share of the time that the board held it down."),
    "own_seconds": ("rank_own_step_seconds", "Mean time of a rank's step before it waits for others."),
}
LABELS = ("run", "rank", "node")
Place = tuple[str, str]  # rank and node


class DeviceMetrics:
    """The newest row of each rank of this attempt, and the energy of each over all attempts."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._rows: dict[Place, DeviceRow] = {}
        self._joules: dict[Place, float] = defaultdict(float)

    def take(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, StartEvent):
            self._rows.clear()
        if isinstance(event, DevicesEvent):
            for row in event.rows():
                if row.rank is not None:
                    self._rows[str(row.rank), row.node] = row
                    self._joules[str(row.rank), row.node] += row.joules or 0.0

    def collect(self) -> Iterator[Metric]:
        """Every metric of which anything is known."""
        for field, (name, meaning) in DEVICES.items():
            family = GaugeMetricFamily(f"trainwright_{name}", meaning, labels=LABELS)
            values = {place: getattr(row, field) for place, row in self._rows.items()}
            for place, value in values.items():
                if value is not None:
                    family.add_metric([self._run, *place], value)
            yield from [family] if family.samples else []
        family = CounterMetricFamily("trainwright_device_energy_joules", "Energy of a rank's device.", labels=LABELS)
        for place, joules in self._joules.items():
            if joules:
                family.add_metric([self._run, *place], joules)
        yield from [family] if family.samples else []

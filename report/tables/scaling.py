"""A scaling sweep as a table and as plain values: throughput, efficiency, hours and carbon at each point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ...spec.estimate import Range
from ...spec.number_text import UNKNOWN
from ...spec.scaling import ScalingPoint
from .cells import Cell, Table, fixed_cell, share_cell, significant_cell, table, text
from .estimate import layout_text

HEADINGS = (
    "Devices", "Fabric", "Cap (W)", "tokens/s", "tokens/s a device", "Efficiency", "Of the first", "Device hours",
    "Days", "tCO2eq", "Layout or reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScalingRow:
    """One point as plain values; `efficiency` is against the smallest count of the same curve that runs.

    `of_the_first` compares with the first curve at the same count.
    """

    devices: int
    interconnect: str
    power_cap_watts: float | None
    tokens_per_second: float | None
    tokens_per_second_per_device: float | None
    efficiency: float | None
    of_the_first: float | None
    device_hours: float | None
    days: float | None
    carbon_tonnes: float | None
    layout: dict[str, int | str | bool] | None
    reason: str

    @property
    def curve(self) -> tuple[str, float | None]:
        """Which curve the point lies on."""
        return self.interconnect, self.power_cap_watts


def scaling_rows(points: Sequence[ScalingPoint]) -> list[ScalingRow]:
    """Each point of a sweep, in order."""
    first = {point.devices: point.speed_per_device for point in points if point.setup == points[0].setup}
    smallest = {
        point.setup: point.speed_per_device
        for point in sorted(points, key=lambda point: -point.devices)
        if point.speed_per_device
    }
    return [_row(point, smallest.get(point.setup), first.get(point.devices)) for point in points]


def _row(point: ScalingPoint, smallest: float | None, first: float | None) -> ScalingRow:
    speed, found = point.speed_per_device, point.estimate
    return ScalingRow(
        devices=point.devices,
        interconnect=point.setup.interconnect,
        power_cap_watts=point.setup.power_cap,
        tokens_per_second=speed * point.devices if speed else None,
        tokens_per_second_per_device=speed,
        efficiency=_ratio(speed, smallest),
        of_the_first=_ratio(speed, first),
        device_hours=_value(found.device_hours) if found else None,
        days=_value(found.days) if found else None,
        carbon_tonnes=_value(found.carbon_tonnes) if found else None,
        layout=found.layout if found else None,
        reason=point.reason,
    )


def _value(found: Range | None) -> float | None:
    return found.value if found else None


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one and other else None


def scaling_table(rows: Sequence[ScalingRow], title: str) -> Table:
    """One row a point."""
    return table("scaling", title, HEADINGS, [_cells(row) for row in rows], _spare(rows))


def _cells(row: ScalingRow) -> list[Cell]:
    return [
        fixed_cell(row.devices, 0),
        text(row.interconnect),
        text("none") if row.power_cap_watts is None else fixed_cell(row.power_cap_watts, 0),
        significant_cell(row.tokens_per_second),
        significant_cell(row.tokens_per_second_per_device),
        share_cell(row.efficiency),
        share_cell(row.of_the_first),
        significant_cell(row.device_hours),
        significant_cell(row.days),
        significant_cell(row.carbon_tonnes),
        text(layout_text(row.layout) if row.layout else row.reason or UNKNOWN),
    ]


def _spare(rows: Sequence[ScalingRow]) -> list[str]:
    """What a narrow terminal leaves out: first what is the same in every row."""
    keys = {"Of the first": "of_the_first", "Fabric": "interconnect", "Cap (W)": "power_cap_watts"}
    same = [heading for heading, key in keys.items() if len({asdict(row)[key] for row in rows}) == 1]
    return [*same, "tokens/s", "Device hours", "Efficiency"]

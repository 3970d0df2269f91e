"""What a site's power buys: devices x cap x layout as a table, each with its range, and which point to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...spec.display_units import MASSES, fitting
from ...spec.emissions import WATTS_PER_KILOWATT
from ...spec.estimate import Estimate
from ...spec.facts import figures
from ...spec.scaling import ScalingPoint
from .cells import Table, fixed_cell, significant_cell, table, text
from .estimate import layout_text, ranged_cell

SAME_CARBON: float = figures("reporting")["same_carbon"]  # a difference that is no reason to finish later


def pareto(points: Sequence[ScalingPoint]) -> list[ScalingPoint]:
    """The points that no other beats in both days and carbon (by what counts), the earliest first."""
    known = sorted((p for p in points if _days(p) is not None), key=lambda p: (_days(p), _carbon(p)))
    front: list[ScalingPoint] = []
    for point in known:
        if not front or _carbon(point) < _carbon(front[-1]) * (1 - SAME_CARBON):
            front.append(point)
    return front


def _days(point: ScalingPoint) -> float | None:
    return point.estimate.days.value if point.estimate and point.estimate.days else None


def _carbon(point: ScalingPoint) -> float:
    found = point.estimate.carbon_tonnes if point.estimate else None
    return found.value if found else float("inf")


def shown_points(points: Sequence[ScalingPoint], best: ScalingPoint | None) -> list[ScalingPoint]:
    """The first to finish under each cap, the Pareto front and the chosen one, the earliest first; failures last."""
    first: dict[float | None, ScalingPoint] = {}
    for point in points:
        held = first.get(point.setup.power_cap)
        if held is None or (_days(point) or float("inf")) < (_days(held) or float("inf")):
            first[point.setup.power_cap] = point
    kept = {id(point) for point in (*first.values(), *pareto(points), *([best] if best else []))}
    return sorted((p for p in points if id(p) in kept), key=lambda p: (_days(p) or float("inf"), _carbon(p)))


def under_power_table(points: Sequence[ScalingPoint], best: ScalingPoint | None, title: str) -> Table:
    """One row a point worth showing."""
    front, shown = {id(point) for point in pareto(points)}, shown_points(points, best)
    scale, unit = fitting(max((_carbon(p) for p in shown if p.estimate), default=1.0), MASSES)
    headings = ("Devices", "Cap (W)", "Power (kW)", "Days", unit, "Layout or reason", "Verdict")
    rows = [
        [
            fixed_cell(point.devices, 0),
            fixed_cell(point.setup.power_cap, 0),
            significant_cell((point.setup.power_cap or 0.0) * point.devices / WATTS_PER_KILOWATT),
            ranged_cell(point.estimate.days if point.estimate else None),
            ranged_cell(point.estimate.carbon_tonnes if point.estimate else None, scale),
            text(layout_text(point.estimate.layout) if point.estimate else point.reason),
            text("chosen" if point is best else _verdict(point, leads=id(point) in front)),
        ]
        for point in shown
    ]
    made = table("under power", title, headings, rows, spare=("Layout or reason", "Power (kW)"))
    return replace(made, notes=tuple(_notes(best)))


def _notes(best: ScalingPoint | None) -> list[str]:
    notes = [f"Pareto: no other is both earlier and cleaner (carbon within {SAME_CARBON:.0%} counts as the same)."]
    if best:
        change = f"--set cluster.gpus={best.devices} --set cluster.power_cap={best.setup.power_cap:g}W"
        notes.append(f"To take the chosen one: {change}")
    return notes


def _verdict(point: ScalingPoint, *, leads: bool) -> str:
    if point.estimate is None:
        return "cannot be planned"
    broken = _broken(point.estimate)
    if broken:
        return f"over the limit of {' and '.join(broken)}"
    return "Pareto" if leads else ""


def _broken(found: Estimate) -> list[str]:
    """Limits that the prediction itself, not only its range, is over."""
    return [limit.name for limit in found.limits if limit.found and limit.found.value > limit.most]

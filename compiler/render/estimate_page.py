"""estimate.md: the estimate for people who read the bundle in a review."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.display_units import BYTES, ENERGIES, MASSES, TIMES, fitting
from ...spec.estimate import Estimate, Part, Range

DAY = 86_400  # seconds
_MARKDOWN = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|"})


def estimate_page(estimate: Estimate) -> str:
    """`estimate` as Markdown."""
    return "\n".join([*_heading(estimate), "", *_table(estimate), "", *_parts(estimate), *_notes(estimate), ""])


def _heading(estimate: Estimate) -> list[str]:
    place = f"{estimate.devices} x {_text(estimate.device)} on {_text(estimate.cluster)}"
    return [
        f"# Estimate of {_text(estimate.name)}",
        "",
        f"{_text(estimate.model)}, {estimate.parameters:,} parameters, {place}.",
    ]


def _table(estimate: Estimate) -> list[str]:
    rows = [
        ("Tokens", f"{estimate.tokens:,}", ""),
        ("Power cap", _cap(estimate), ""),
        _fitted("Memory a device", estimate.memory_bytes, BYTES),
        ("Step (s)", *_range(estimate.step_seconds)),
        ("Tokens a second", *_range(estimate.tokens_per_second)),
        ("Model FLOP/s utilisation", *_range(estimate.mfu)),
        ("Device hours", *_range(estimate.device_hours)),
        _fitted("Time", estimate.days, TIMES, DAY),
        ("Power a device (W)", *_range(estimate.power_watts)),
        _fitted("Energy", estimate.energy_kwh, ENERGIES),
        _fitted("Carbon", estimate.carbon_tonnes, MASSES),
        ("Cost (USD)", *_range(estimate.cost_usd)),
    ]
    return ["| Quantity | Value | Range |", "| --- | ---: | --- |", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]


def _cap(estimate: Estimate) -> str:
    if estimate.power_cap_watts is not None:
        return f"{estimate.power_cap_watts:,g} W"
    return "none" if estimate.power_limit_watts is None else f"none (default limit {estimate.power_limit_watts:,g} W)"


def _fitted(
    name: str, value: Range | None, units: Sequence[tuple[float, str]], given_in: float = 1
) -> tuple[str, str, str]:
    """A row in the unit that fits its value, which is given in `given_in` of the units' base."""
    scale, unit = fitting(value.value * given_in if value else 0, units)
    return f"{name} ({unit})", *_range(value, scale / given_in)


def _range(value: Range | None, unit: float = 1) -> tuple[str, str]:
    if value is None:
        return "unknown", ""
    because = f", {_text(value.because)}" if value.because else ""
    return _figure(value.value / unit), f"{_figure(value.low / unit)} to {_figure(value.high / unit)}{because}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _parts(estimate: Estimate) -> list[str]:
    layout = ", ".join(f"{key} {value}" for key, value in sorted(estimate.layout.items()))
    factors = f"PUE {estimate.pue:g}, {estimate.intensity_kg_per_kwh:g} kg/kWh ({_text(estimate.intensity_source)})"
    memory = ", ".join(f"{_text(part.name)} {_bytes(part)}" for part in estimate.memory_parts)
    return [f"- Layout: {layout}", f"- Memory: {memory}", f"- Carbon: {factors}"]


def _bytes(part: Part) -> str:
    scale, unit = fitting(part.value, BYTES)
    return f"{_figure(part.value / scale)} {unit}"


def _notes(estimate: Estimate) -> list[str]:
    return [f"- {_text(note)}" for note in estimate.notes]


def _text(value: str) -> str:
    """`value` on one line, without meaning to Markdown."""
    return " ".join(value.split()).translate(_MARKDOWN)

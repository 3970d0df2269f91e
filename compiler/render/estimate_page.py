"""estimate.md: the estimate for people who read the bundle in a review."""

from __future__ import annotations

from ...spec.estimate import Estimate, Part, Range

GIB = 2**30
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
    cap = "none" if estimate.power_cap_watts is None else f"{estimate.power_cap_watts:,g} W"
    rows = [
        ("Tokens", f"{estimate.tokens:,}", ""),
        ("Power cap", cap, ""),
        ("Memory a device (GiB)", *_range(estimate.memory_bytes, GIB)),
        ("Step (s)", *_range(estimate.step_seconds)),
        ("Tokens a second", *_range(estimate.tokens_per_second)),
        ("Model FLOP/s utilisation", *_range(estimate.mfu)),
        ("Device hours", *_range(estimate.device_hours)),
        ("Days", *_range(estimate.days)),
        ("Power a device (W)", *_range(estimate.power_watts)),
        ("Energy (kWh)", *_range(estimate.energy_kwh)),
        ("Carbon (tCO2eq)", *_range(estimate.carbon_tonnes)),
        ("Cost (USD)", *_range(estimate.cost_usd)),
    ]
    return ["| Quantity | Value | Range |", "| --- | ---: | --- |", *(f"| {a} | {b} | {c} |" for a, b, c in rows)]


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
    memory = ", ".join(f"{_text(part.name)} {_gib(part)}" for part in estimate.memory_parts)
    return [f"- Layout: {layout}", f"- Memory: {memory}", f"- Carbon: {factors}"]


def _gib(part: Part) -> str:
    return f"{_figure(part.value / GIB)} GiB"


def _notes(estimate: Estimate) -> list[str]:
    return [f"- {_text(note)}" for note in estimate.notes]


def _text(value: str) -> str:
    """`value` on one line, without meaning to Markdown."""
    return " ".join(value.split()).translate(_MARKDOWN)

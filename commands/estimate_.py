"""`trainwright estimate SPEC...`: what runs will cost, before anything runs."""

from __future__ import annotations

from dataclasses import replace

from ..compiler.estimate import estimate
from ..compiler.load import load_all
from ..compiler.planner import choose
from ..runtime.report.paper import published_table
from ..runtime.report.tables import Cell, Table
from ..spec.emissions import carbon_tonnes, energy_kwh
from ..spec.estimate import Estimate, Range
from .figures import FormatOption, figure, number, print_tables, table
from .options import Sets, SpecFiles

GIB = 2**30


def _spread(value: Range | None, unit: float = 1.0) -> Cell:
    if value is None:
        return Cell("unknown")
    low, high = figure(value.low / unit).text, figure(value.high / unit).text
    return Cell(f"{figure(value.value / unit).text} ({low} to {high})")


def _machine(estimates: list[Estimate]) -> Table:
    columns = ("Run", "Devices", "Layout", "GiB a device", "Step (s)", "tokens/s/device", "MFU")
    rows = [
        [
            Cell(item.name),
            Cell(f"{item.devices} x {item.device}"),
            Cell(_layout(item)),
            _spread(item.memory_bytes, GIB),
            _spread(item.step_seconds),
            _spread(item.tokens_per_second, item.devices),
            _spread(item.mfu, 0.01),
        ]
        for item in estimates
    ]
    notes = tuple(f"{item.name}: {item.step_seconds.because}" for item in estimates if item.step_seconds)
    return replace(table("machine", "Predicted speed and memory", columns, rows), notes=notes)


def _layout(item: Estimate) -> str:
    words = {"data": "data", "tensor": "tensor", "sequence": "sequence", "zero": "ZeRO", "micro_batch": "micro batch"}
    parts = [f"{word} {item.layout[key]}" for key, word in words.items() if item.layout[key] != 1 or key == "zero"]
    recompute = item.layout["recompute"]
    return ", ".join([*parts, *([f"recompute {recompute}"] if recompute != "none" else [])])


def _cost(estimates: list[Estimate]) -> Table:
    columns = (
        "Run", "Device hours", "Days", "Cap (W)", "Draw (W)", "kWh", "tCO2eq", "tCO2eq at the cap", "USD", "Final loss",
    )  # fmt: skip
    rows = [
        [
            Cell(item.name),
            _spread(item.device_hours),
            _spread(item.days),
            Cell("none") if item.power_cap_watts is None else number(item.power_cap_watts, 0),
            _spread(item.power_watts),
            _spread(item.energy_kwh),
            _spread(item.carbon_tonnes),
            figure(_at_the_cap(item)),
            _spread(item.cost_usd),
            _spread(item.final_loss),
        ]
        for item in estimates
    ]
    notes = [f"{item.name}: {note}" for item in estimates for note in item.notes]
    notes.append("tCO2eq is predicted hours x predicted draw x PUE x intensity; at the cap: with the cap as the draw.")
    notes += sorted({f"{item.intensity_kg_per_kwh:g} kg/kWh: {item.intensity_source}" for item in estimates})
    return replace(table("cost", "Predicted cost (expected, and range)", columns, rows), notes=tuple(notes))


def _at_the_cap(item: Estimate) -> float | None:
    if item.device_hours is None or item.power_cap_watts is None:
        return None
    kwh = energy_kwh(item.device_hours.value, item.power_cap_watts)
    return carbon_tonnes(kwh, item.pue, item.intensity_kg_per_kwh)


def _scopes(estimates: list[Estimate]) -> Table | None:
    rows = [
        [
            Cell(item.name),
            Cell(part.name),
            figure(part.value),
            Cell(f"{figure(part.low).text} to {figure(part.high).text}"),
            Cell(part.source),
        ]
        for item in estimates
        for part in item.scope_parts
    ]
    if not rows or all(len(item.scope_parts) <= 2 for item in estimates):
        return None
    return table("scopes", "Carbon by scope", ("Run", "Scope", "tCO2eq", "Range", "Source"), rows)


def command(specs: SpecFiles, sets: Sets = [], form: FormatOption = "table") -> None:  # noqa: B006 - typer reads it
    """Predict memory, time, energy, carbon and money of specs, each with its range."""
    estimates = [estimate(item.spec, choose(item.spec)) for item in load_all(specs, sets)]
    tables = (published_table(estimates), _machine(estimates), _cost(estimates), _scopes(estimates))
    print_tables([item for item in tables if item], form, [item.model_dump() for item in estimates])

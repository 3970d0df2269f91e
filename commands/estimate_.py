"""`trainwright estimate SPEC...`: what runs will cost, before anything runs."""

from __future__ import annotations

from ..compiler.check import checked
from ..compiler.estimate import predict
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
    return Cell(f"{figure(value.value / unit).text} ({low} to {high})", value.value / unit)


def _layout(item: Estimate) -> str:
    words = {"data": "data", "tensor": "tensor", "sequence": "sequence", "zero": "ZeRO", "micro_batch": "micro batch"}
    parts = [f"{word} {item.layout[key]}" for key, word in words.items() if item.layout[key] != 1 or key == "zero"]
    recompute = item.layout["recompute"]
    return ", ".join([*parts, *([f"recompute {recompute}"] if recompute != "none" else [])])


def _predicted(item: Estimate) -> dict[str, Cell]:
    """Every figure of one run, by its heading."""
    return {
        "Devices": Cell(f"{item.devices} x {item.device}"),
        "Layout": Cell(_layout(item)),
        "Memory a device (GiB)": _spread(item.memory_bytes, GIB),
        "Step (s)": _spread(item.step_seconds),
        "Tokens/s and device": _spread(item.tokens_per_second, item.devices),
        "MFU (%)": _spread(item.mfu, 0.01),
        "Device hours": _spread(item.device_hours),
        "Days": _spread(item.days),
        "Power cap (W)": Cell("none") if item.power_cap_watts is None else number(item.power_cap_watts, 0),
        "Draw (W)": _spread(item.power_watts),
        "Energy of devices (kWh)": _spread(item.energy_kwh),
        "Carbon (tCO2eq)": _spread(item.carbon_tonnes),
        "Carbon at the cap (tCO2eq)": figure(_at_the_cap(item)),
        "Money (USD)": _spread(item.cost_usd),
        "Water (L)": _spread(item.water_litres),
        "Final loss (nats a token)": _spread(item.final_loss),
    }


def _prediction(estimates: list[Estimate]) -> Table:
    """One column a run; a run of its own row would not fit a terminal."""
    columns = [_predicted(item) for item in estimates]
    rows = [(Cell(name), *(column[name] for column in columns)) for name in columns[0]]
    headings = ("Predicted, and range", *(item.name for item in estimates))
    return Table("predicted", "Prediction", headings, tuple(rows), frozenset(), notes=tuple(_notes(estimates)))


def _notes(estimates: list[Estimate]) -> list[str]:
    notes = [f"{item.name}: {item.step_seconds.because}." for item in estimates if item.step_seconds]
    notes += [f"{item.name}: {note}" for item in estimates for note in item.notes]
    notes.append(
        "Carbon is hours x draw x PUE x intensity; at the cap: with the power cap as the draw, as the paper does."
    )
    return notes + sorted({f"{item.intensity_kg_per_kwh:g} kg/kWh: {item.intensity_source}." for item in estimates})


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
    estimates = [predict(item.spec) for item in checked(specs, sets)]
    tables = (published_table(estimates), _prediction(estimates), _scopes(estimates))
    print_tables([item for item in tables if item], form, [item.model_dump() for item in estimates])

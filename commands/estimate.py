"""`trainwright estimate SPEC...`: what runs will cost, before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..compiler.check import load_checked
from ..compiler.plan.estimate import predict
from ..report.tables.emissions import Cell, Table
from ..report.tables.paper import published_table
from ..spec.display_units import ENERGIES, MASSES, TIMES, fitting
from ..spec.emissions import carbon_tonnes, energy_kwh
from ..spec.estimate import Estimate, Range
from .figures import FormatOption, figure, layout_words, number, print_tables, table
from .options import Sets, SpecFiles

GIB = 2**30
DAY = 86_400  # seconds
Unit = tuple[float, str]


def _spread(value: Range | None, unit: float = 1.0) -> Cell:
    if value is None:
        return Cell("unknown")
    low, high = figure(value.low / unit).text, figure(value.high / unit).text
    return Cell(f"{figure(value.value / unit).text} ({low} to {high})", value.value / unit)


@dataclass(frozen=True, slots=True)
class _Units:
    """Scale and name of the units that fit the largest of the runs, so that a column stays comparable."""

    time: Unit
    energy: Unit
    carbon: Unit

    @classmethod
    def of(cls, estimates: list[Estimate]) -> _Units:
        """The units of a table of these runs."""

        def largest(values: Iterable[Range | None]) -> float:
            return max((value.value for value in values if value), default=0.0)

        return cls(
            fitting(largest(item.days for item in estimates) * DAY, TIMES),
            fitting(largest(item.energy_kwh for item in estimates), ENERGIES),
            fitting(largest(item.carbon_tonnes for item in estimates), MASSES),
        )


def _predicted(item: Estimate, units: _Units) -> dict[str, Cell]:
    """Every figure of one run, by its heading."""
    return {
        "Devices": Cell(f"{item.devices} x {item.device}"),
        "Layout": Cell(layout_words(item.layout)),
        "Memory a device (GiB)": _spread(item.memory_bytes, GIB),
        "Step (s)": _spread(item.step_seconds),
        "Tokens/s and device": _spread(item.tokens_per_second, item.devices),
        "MFU (%)": _spread(item.mfu, 0.01),
        "Device hours": _spread(item.device_hours),
        f"Time ({units.time[1]})": _spread(item.days, units.time[0] / DAY),
        "Power cap (W)": _cap(item),
        "Draw (W)": _spread(item.power_watts),
        f"Energy of devices ({units.energy[1]})": _spread(item.energy_kwh, units.energy[0]),
        f"Carbon ({units.carbon[1]})": _spread(item.carbon_tonnes, units.carbon[0]),
        f"Carbon at the cap ({units.carbon[1]})": _at_the_cap(item, units.carbon[0]),
        "Money (USD)": _spread(item.cost_usd),
        "Water (L)": _spread(item.water_litres),
        "Final loss (nats a token)": _spread(item.final_loss),
    }


def _prediction(estimates: list[Estimate]) -> Table:
    """One column a run; a run of its own row would not fit a terminal."""
    units = _Units.of(estimates)
    columns = [_predicted(item, units) for item in estimates]
    rows = [(Cell(name), *(column[name] for column in columns)) for name in columns[0]]
    headings = ("Predicted, and range", *(item.name for item in estimates))
    return Table("predicted", "Prediction", headings, tuple(rows), frozenset(), notes=tuple(_notes(estimates)))


def _notes(estimates: list[Estimate]) -> list[str]:
    notes = [f"{item.name}: {item.step_seconds.because}." for item in estimates if item.step_seconds]
    notes += [f"{item.name}: {note}" for item in estimates for note in item.notes]
    notes.append(
        "Carbon is hours x draw x PUE x intensity; at the cap: with the power cap as the draw, as the paper does."
        " Without a cap the device's default limit is taken."
    )
    return notes + sorted({f"{item.intensity_kg_per_kwh:g} kg/kWh: {item.intensity_source}." for item in estimates})


def _cap(item: Estimate) -> Cell:
    if item.power_cap_watts is not None:
        return number(item.power_cap_watts, 0)
    return Cell("none" if item.power_limit_watts is None else f"none (default limit {item.power_limit_watts:,.0f})")


def _at_the_cap(item: Estimate, unit: float) -> Cell:
    """Carbon with the power cap as the draw, or with the default limit, which is then said."""
    if item.device_hours is None or item.power_limit_watts is None:
        return Cell("unknown")
    kwh = energy_kwh(item.device_hours.value, item.power_limit_watts)
    shown = figure(carbon_tonnes(kwh, item.pue, item.intensity_kg_per_kwh) / unit)
    return shown if item.power_cap_watts is not None else Cell(f"{shown.text} (at the default limit)", shown.value)


def _scopes(estimates: list[Estimate]) -> Table | None:
    parts = [(item, part) for item in estimates for part in item.scope_parts]
    if not parts or all(len(item.scope_parts) <= 2 for item in estimates):
        return None
    scale, unit = fitting(max(part.value or 0.0 for _, part in parts), MASSES)
    rows = [
        [Cell(item.name), Cell(part.name), *_bounded(part.value, part.low, part.high, scale), Cell(part.source)]
        for item, part in parts
    ]
    return table("scopes", "Carbon by scope", ("Run", "Scope", unit, "Range", "Source"), rows)


def _bounded(value: float | None, low: float | None, high: float | None, scale: float) -> tuple[Cell, Cell]:
    """A figure and its bounds."""
    shown = [figure(None if given is None else given / scale) for given in (value, low, high)]
    return shown[0], Cell(f"{shown[1].text} to {shown[2].text}")


def command(specs: SpecFiles, sets: Sets = [], form: FormatOption = "table") -> None:  # noqa: B006 - typer reads it
    """Predict memory, time, energy, carbon and money of specs, each with its range."""
    estimates = [predict(item.spec) for item in load_checked(specs, sets)]
    tables = (published_table(estimates), _prediction(estimates), _scopes(estimates))
    print_tables([item for item in tables if item], form, [item.model_dump() for item in estimates])

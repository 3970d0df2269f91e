"""A paper's table as a receipt: its published hours and power as inputs, its rows and total as expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...spec.display_units import MASSES
from ...spec.estimate import Estimate
from ...spec.number_text import Style
from ..document import generator
from .files import digest_text
from .formulas import carbon_expression, energy_expression, sum_expression
from .ledger import Ledger
from .values import Receipt, Record
from .verify import IN_PAPER

HOURS, MASS = Style(digits=0), Style(*MASSES[0])


def paper_receipt(paper: Mapping[str, Any], rows: Sequence[Estimate], specs: Mapping[str, str]) -> Receipt:
    """The receipt of the published rows; `specs` are the texts of their specs by file name."""
    ledger, date = Ledger(), str(paper["date"])
    source = f"{paper['title']}, {paper['table']}, {paper['source']}"
    for index, row in enumerate(rows, 1):
        _row(ledger, f"run{index}", row, source, date)
    every = [f"run{index}.published" for index in range(1, len(rows) + 1)]
    for key, unit, style, printed in (
        ("device_hours", "h", HOURS, paper["total_hours"]),
        ("carbon_tonnes", "tCO2eq", MASS, paper["total_tonnes"]),
    ):
        ledger.take(f"total.published.{key}{IN_PAPER}", printed, unit, source, date)
        ledger.compute(f"total.published.{key}", sum_expression(f"{row}.{key}" for row in every), unit, style)
    return Receipt(
        generator=generator(),
        runs=tuple(_record(f"run{index}", row, specs) for index, row in enumerate(rows, 1)),
        inputs=tuple(ledger.inputs),
        numbers=tuple(ledger.numbers),
    )


def _row(ledger: Ledger, run: str, row: Estimate, source: str, date: str) -> None:
    """A row: hours x power x PUE x intensity, cut to two decimals as the paper does."""
    name = f"{run}.published"
    hours = ledger.take(f"{name}.device_hours{IN_PAPER}", row.published_device_hours, "h", source, date)
    watts = ledger.take(f"{name}.power_watts", row.published_power_watts, "W", source, date)
    ledger.take(f"{run}.pue", row.pue, "", source, date)
    ledger.take(f"{run}.intensity", row.intensity_kg_per_kwh, "kgCO2eq/kWh", source, date)
    ledger.take(f"{name}.carbon_tonnes{IN_PAPER}", row.published_carbon_tonnes, "tCO2eq", source, date)
    ledger.compute(f"{name}.device_hours", hours, "h", HOURS)
    energy = ledger.compute(f"{name}.energy_kwh", energy_expression(hours, watts), "kWh", HOURS)
    ledger.compute(f"{name}.carbon_tonnes", carbon_expression(energy, run), "tCO2eq", MASS, cut=True)


def _record(name: str, row: Estimate, specs: Mapping[str, str]) -> Record:
    file = f"{row.name}.yaml"
    return Record(
        id=name,
        label=row.name,
        model=row.model,
        devices=f"{row.devices} x {row.device}",
        status="published",
        basis="published",
        files=(digest_text(file, specs[file]),),
    )

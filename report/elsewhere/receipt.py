"""Accounted usages as a receipt: hours and energy as inputs with their files, carbon as expressions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..document import generator
from ..receipt.files import digest_file
from ..receipt.formulas import carbon_expression, sum_expression
from ..receipt.ledger import Ledger
from ..receipt.values import ACCOUNTED, Receipt, Record
from .account import Accounted
from .usage import Usage

SUMMED = {"device_hours": "h", "energy_kwh": "kWh", "carbon_tonnes": "tCO2eq", "counted_tonnes": "tCO2eq"}


def account_receipt(rows: Sequence[Accounted], files: Sequence[Path], left_out: Sequence[str]) -> Receipt:
    """What the table rests on. Raises InputError where a file cannot be read again."""
    ledger = Ledger()
    for index, row in enumerate(rows, 1):
        _numbers(ledger, f"run{index}", row.usage)
    for key, unit in (
        ("device_hours", "h"),
        ("energy_kwh", "kWh"),
        ("carbon_tonnes", "tCO2eq"),
        ("counted_tonnes", "tCO2eq"),
    ):
        every = [f"run{index}.actual.{key}" for index in range(1, len(rows) + 1)]
        ledger.compute(f"total.actual.{key}", sum_expression(every), unit)
    return Receipt(
        generator=generator(),
        runs=tuple(_record(f"run{index}", row.usage, files, left_out) for index, row in enumerate(rows, 1)),
        inputs=tuple(ledger.inputs),
        numbers=tuple(ledger.numbers),
    )


def _numbers(ledger: Ledger, run: str, usage: Usage) -> None:
    row, source = f"{run}.actual", f"{usage.place}: {usage.method}"
    hours = ledger.take(f"{run}.device_hours", usage.device_hours, "h", source)
    energy = ledger.take(f"{run}.energy_kwh", usage.energy_kwh, "kWh", source)
    host = ledger.take(f"{run}.host_kwh", usage.host_kwh or 0.0, "kWh", source)
    ledger.take(f"{run}.pue", usage.pue, "", source)
    ledger.take(f"{run}.intensity", usage.intensity, "kgCO2eq/kWh", usage.intensity_source or "unknown")
    ledger.compute(f"{row}.device_hours", hours, "h")
    ledger.compute(f"{row}.energy_kwh", energy, "kWh")
    ledger.compute(f"{row}.carbon_tonnes", carbon_expression(energy, run), "tCO2eq")
    counted = carbon_expression(f"({energy} + {host})", run)
    if usage.counted_tonnes is not None:
        counted = ledger.take(f"{row}.counted_tonnes.given", usage.counted_tonnes, "tCO2eq", source)
    ledger.compute(f"{row}.counted_tonnes", counted, "tCO2eq")


def _record(name: str, usage: Usage, files: Sequence[Path], left_out: Sequence[str]) -> Record:
    held = [path for path in files if usage.place == str(path) or usage.place.startswith(f"{path}:")]
    return Record(
        id=name,
        label=usage.name,
        model="unknown",
        devices=f"{usage.devices or 'unknown'} x {usage.device}",
        status=ACCOUNTED,
        basis=usage.basis,
        files=tuple(digest_file(path.resolve(), path.as_posix()) for path in held),
        meters=(usage.method,),
        missing=tuple(left_out),
    )

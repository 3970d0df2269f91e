"""Report stage 7c: one run in, the table of its ranks' devices out: all of few, of many those that stand out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from ...spec.device_row import DeviceRow
from ...spec.display_units import BYTES, ENERGIES, TIMES
from ...spec.number_text import percent, with_unit
from ...spec.units import JOULES_PER_KWH
from ..values import Run
from .cells import Cell, Table, fixed_cell, text

MANY = 16  # ranks; of more only those that stand out are listed


def devices_table(run: Run) -> Table | None:
    """A row a rank, the median of all under them, and in the notes who stands out. None where nothing was logged."""
    if not run.device_uses:
        return None
    named = {(odd.rank, odd.node) for odd in run.stand_out}
    shown = [use for use in run.device_uses if len(run.device_uses) <= MANY or (use.rank, use.node) in named]
    columns = [column for column in COLUMNS if any(_value(use, column) is not None for use in run.device_uses)]
    middle = [
        _cell(column, median(known)) if (known := _known(run.device_uses, column)) else text("") for column in columns
    ]
    hidden = len(run.device_uses) - len(shown)
    return Table(
        key="devices",
        title="Devices",
        of=run.label,
        headings=("Rank", "Node", *(COLUMNS[column][0] for column in columns)),
        rows=tuple(
            (
                Cell(str(use.rank), use.rank),
                text(use.node),
                *(_cell(column, _value(use, column)) for column in columns),
            )
            for use in shown
        ),
        numeric=frozenset({0, *range(2, 2 + len(columns))}),
        totals=((text("median"), text(f"of {len(run.device_uses):,}"), *middle),),
        notes=(
            *(f"Stands out: {odd}." for odd in run.stand_out),
            *([f"{hidden:,} ranks that do not stand out are left out."] if hidden else []),
        ),
    )


COLUMNS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "watts": ("Power (W)", lambda value: fixed_cell(value, 0).text),
    "joules": ("Energy", lambda value: with_unit(None if value is None else value / JOULES_PER_KWH, ENERGIES)),
    "clock_mhz": ("Clock (MHz)", lambda value: fixed_cell(value, 0).text),
    "temperature_celsius": ("Highest (°C)", lambda value: fixed_cell(value, 0).text),
    "memory_bytes": ("Memory", lambda value: with_unit(value, BYTES)),
    "power_capped": ("Power-capped", lambda value: percent(value, 0)),
    "too_hot": ("Held by heat", lambda value: percent(value, 0)),
    "slowed_by_hardware": ("By hardware", lambda value: percent(value, 0)),
    "own_seconds": ("Own time a step", lambda value: with_unit(value, TIMES)),
}


def _cell(column: str, value: float | None) -> Cell:
    return Cell(COLUMNS[column][1](value), value)


def _value(use: DeviceRow, column: str) -> float | None:
    return getattr(use, column)


def _known(uses: Sequence[DeviceRow], column: str) -> list[float]:
    return [value for use in uses if (value := _value(use, column)) is not None]

"""Accounted usages as one table in the form of the emissions table, with method and coverage of every row."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.display_units import ENERGIES, MASSES
from ...spec.emissions import WATTS_PER_KILOWATT, exact_sum
from ...spec.number_text import style
from ..tables.cells import Cell, Table, share_cell, styled, text
from .account import Accounted


def account_table(rows: Sequence[Accounted], left_out: Sequence[str]) -> Table:
    """One row a job; a total with an unknown part is unknown."""
    hours = style([row.usage.device_hours for row in rows], ((1.0, ""),))
    watts = style([_watts(row.usage.device_hours, row.usage.energy_kwh) for row in rows], ((1.0, "W"),), 1)
    energy = style([row.usage.energy_kwh for row in rows], ENERGIES)
    mass = style([tonnes for row in rows for tonnes in (row.carbon_tonnes, row.counted_tonnes)], MASSES)
    sums = [exact_sum([row.usage.device_hours for row in rows]), exact_sum([row.usage.energy_kwh for row in rows])]
    totals = [exact_sum([row.carbon_tonnes for row in rows]), exact_sum([row.counted_tonnes for row in rows])]

    def numbers(held: float | None, used: float | None, host: Cell, tonnes: Sequence[float | None]) -> tuple[Cell, ...]:
        return (
            styled(held, hours),
            styled(_watts(held, used), watts),
            styled(used, energy),
            host,
            *(styled(one, mass) for one in tonnes),
        )

    return Table(
        key="account",
        title="Carbon emitted",
        headings=(
            "Name", "Basis", "Covered", "Method", "Devices", "Time (device hours)", "Power (W)",
            f"Energy ({energy.unit})", f"Hosts ({energy.unit})", f"Devices and cooling ({mass.unit})",
            f"Carbon, all counted ({mass.unit})",
        ),
        rows=tuple(
            (
                text(row.usage.name),
                text(row.usage.basis),
                share_cell(row.usage.coverage),
                text(row.usage.method),
                text(f"{row.usage.devices or 'unknown'} x {row.usage.device}"),
                *numbers(
                    row.usage.device_hours,
                    row.usage.energy_kwh,
                    text("") if row.usage.host_kwh is None else styled(row.usage.host_kwh, energy),
                    (row.carbon_tonnes, row.counted_tonnes),
                ),
            )
            for row in rows
        ),
        numeric=frozenset({2, *range(5, 11)}),
        totals=((text("Total"), *[text("")] * 4, *numbers(sums[0], sums[1], text(""), totals)),),
        notes=(*_factors(rows), *(f"Left out: {note}." for note in left_out), NODES),
        spare=("Devices", f"Hosts ({energy.unit})"),
    )  # fmt: skip


NODES = (
    "Energy of Slurm is that of whole nodes, as the site's plugin reads it (with RAPL of processors alone); of all "
    "others it is the devices' own, before PUE."
)


def _watts(hours: float | None, kwh: float | None) -> float | None:
    return None if not hours or kwh is None else kwh * WATTS_PER_KILOWATT / hours


def _factors(rows: Sequence[Accounted]) -> list[str]:
    """PUE and intensity of each row, said once where they are the same."""
    found = {
        f"PUE {row.usage.pue:g}, {row.usage.intensity:.4g} kgCO2eq/kWh ({row.usage.intensity_source})."
        for row in rows
        if row.usage.pue is not None and row.usage.intensity is not None
    }
    missing = any(row.usage.pue is None or row.usage.intensity is None for row in rows)
    return [*sorted(found), *(["Unknown carbon: give --pue, and --intensity or --region."] if missing else [])]

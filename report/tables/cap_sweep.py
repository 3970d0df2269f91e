"""One spec under several power caps, as predicted."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.display_units import ENERGIES, MASSES
from ...spec.estimate import Estimate, Range
from ...spec.number_text import Style, style
from .cells import Cell, Table, change_cell, styled, text

WATTS = Style(1.0, "W", 0)


def cap_sweep(name: str, estimates: Sequence[Estimate]) -> Table:
    """One spec under several power caps, the least energy marked; changes are against the highest cap."""
    ordered = sorted(estimates, key=lambda item: -(item.power_cap_watts or 0.0))
    first, energies = ordered[0], [_known(item.energy_kwh) for item in ordered]
    energy, mass = style(energies, ENERGIES, 0), style([_known(item.carbon_tonnes) for item in ordered], MASSES)
    least = min((value for value in energies if value is not None), default=None)
    return Table(
        key="caps",
        title="Power caps",
        of=name,
        headings=(
            "Cap (W)",
            "Draw (W)",
            "Days",
            "Time, change",
            f"Energy ({energy.unit})",
            "Energy, change",
            f"Carbon ({mass.unit})",
            "Remark",
        ),
        rows=tuple(_cap(item, first, least, (energy, mass)) for item in ordered),
        numeric=frozenset(range(7)),
        notes=(
            "Predicted. Only the devices' energy is weighed: a longer run also keeps hosts and network busy longer.",
        ),
    )


def _cap(item: Estimate, first: Estimate, least: float | None, columns: tuple[Style, Style]) -> tuple[Cell, ...]:
    used = _known(item.energy_kwh)
    return (
        styled(item.power_cap_watts, WATTS),
        styled(_known(item.power_watts), WATTS),
        styled(_known(item.days), Style()),
        change_cell(_known(item.days), _known(first.days)),
        styled(used, columns[0]),
        change_cell(used, _known(first.energy_kwh)),
        styled(_known(item.carbon_tonnes), columns[1]),
        text("least energy" if used is not None and used == least else ""),
    )


def _known(found: Range | None) -> float | None:
    return found.value if found else None

"""How the columns of the emissions table print, by quantity or by unit."""

from __future__ import annotations

from typing import NamedTuple

from ...spec.number_text import Style


class Styles(NamedTuple):
    """One style a column."""

    hours: Style
    watts: Style
    energy: Style
    mass: Style

    def of(self, unit: str) -> Style:
        """The style of the column that holds this unit."""
        return {"h": self.hours, "W": self.watts, "kWh": self.energy, "tCO2eq": self.mass}[unit]

"""A document as typed values: what the page, the Markdown file and the terminal are laid out from.

`report`, `compare` and `reproduce` each make one; none of the layouts knows which.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version

from ..spec.estimate import Range
from .tables.cells import Table
from .values import Curves, HeatMap, Mark, Run


@cache
def generator() -> str:
    """Who wrote it: name and version."""
    return f"trainwright {version('trainwright')}"


MOST_NAMED = 3  # in a title
MOST_SECTIONS = 50  # on one page


def title_of(labels: Sequence[str]) -> str:
    """All names, or where they are many the first and how many others."""
    if len(labels) <= MOST_NAMED:
        return ", ".join(labels)
    return f"{labels[0]} and {len(labels) - 1} others"


@dataclass(frozen=True, slots=True)
class Tile:
    """One key number at the top of the page, and a word on it."""

    name: str
    value: str
    unit: str
    under: str


@dataclass(frozen=True, slots=True)
class Series:
    """A line of the curves; `predicted` ones are dashed, `band` is the range of their loss.

    `bar`: a loss to be beaten, drawn as a level.
    """

    label: str
    curves: Curves
    validation: Curves = field(default_factory=Curves)
    marks: tuple[Mark, ...] = ()
    predicted: bool = False
    bar: float | None = None
    heat_map: HeatMap | None = None
    band: tuple[tuple[float | None, ...], tuple[float | None, ...]] | None = None


def series_of(run: Run) -> Series:
    """The measured line of a run; its bar is the loss that token frequencies alone would reach."""
    return Series(
        run.label, run.curves, run.validation, run.marks, bar=run.training.unigram_entropy, heat_map=run.heat_map
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of a comparison, with its range; None is unknown."""

    label: str
    basis: str
    range: Range | None


@dataclass(frozen=True, slots=True)
class Panel:
    """A quantity of everything that is compared, and the units that it may be drawn in."""

    name: str
    units: Sequence[tuple[float, str]]
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, facts, what is missing, and tables."""

    title: str
    tables: tuple[Table, ...]
    facts: tuple[tuple[str, str], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A title, key numbers, the main tables, curves, sections, and how it was made."""

    kind: str
    title: str
    lede: str
    tables: tuple[Table, ...]
    tiles: tuple[Tile, ...] = ()
    series: tuple[Series, ...] = ()
    panels: tuple[Panel, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[str, ...] = ()
    generator: str = ""

    @property
    def shown_sections(self) -> tuple[Section, ...]:
        """The sections, or none where they are more than a page can be read with: tables and JSON have them all."""
        return self.sections if len(self.sections) <= MOST_SECTIONS else ()

    @property
    def all_tables(self) -> list[Table]:
        """The main tables, then those of the sections."""
        return [*self.tables, *(table for section in self.sections for table in section.tables)]

"""The sources of mixtures as a table: what each holds, its share of the samples, and how often its text is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...report.tables.cells import Cell, Table, share_cell, significant_cell, table, text
from ...spec.number_text import count
from ..load import Loaded
from .corpus_tokens import source_tokens


def source_table(specs: Sequence[Loaded]) -> Table | None:
    """The sources of each mixture whose files are here, or None."""
    rows = [row for loaded in specs for row in _rows(loaded)]
    headings = ("Run", "Source", "Tokens from", "to", "Share", "Epochs from", "to")
    return table("sources", "Training text, from the sizes of its files", headings, rows) if rows else None


def _rows(loaded: Loaded) -> Iterator[list[Cell]]:
    for source in source_tokens(loaded) or ():
        tokens = (Cell(count(bound), bound) for bound in source.tokens)
        seen = (significant_cell(bound) for bound in source.epochs)
        yield [text(loaded.spec.name), text(source.path), *tokens, share_cell(source.share), *seen]

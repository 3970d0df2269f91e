"""Tables of prepared datasets: what a store holds, and one dataset with its sources and lengths of documents."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from pydantic import NonNegativeInt

from ...spec.dataset_index import Index, SourcePart
from ...spec.frozen import Frozen
from .cells import Cell, Table, fixed_cell, share_cell, table, text

_BAR = 40  # characters of the longest bar


class DatasetRow(Frozen):
    """A dataset of a store."""

    digest: str
    state: str  # ready, unfinished, or damaged
    tokens: NonNegativeInt | None
    documents: NonNegativeInt | None
    sources: tuple[str, ...]
    runs: tuple[str, ...]


def dataset_row(digest: str, state: str, index: Index | None, runs: Sequence[str]) -> DatasetRow:
    """What is known of a dataset; `index` is None where it cannot be read."""
    parts = () if index is None else (*index.train, *index.validation)
    return DatasetRow(
        digest=digest,
        state=state,
        tokens=sum(part.tokens for part in parts) if index else None,
        documents=sum(part.documents for part in parts) if index else None,
        sources=tuple(part.path for part in index.train) if index else (),
        runs=tuple(runs),
    )


def datasets_table(rows: Sequence[DatasetRow], store: str) -> Table:
    """A row a dataset."""
    headings = ("Digest", "State", "Tokens", "Documents", "Sources", "Runs")
    return table("datasets", f"Datasets in {store}", headings, [_row(row) for row in rows], ("Sources", "Documents"))


def _row(row: DatasetRow) -> list[Cell]:
    counts = [fixed_cell(row.tokens, 0), fixed_cell(row.documents, 0)]
    runs = ", ".join(run.rpartition("/")[2] for run in row.runs) or "none"
    return [text(row.digest[:12]), text(row.state), *counts, text(", ".join(row.sources) or "unknown"), text(runs)]


def dataset_tables(digest: str, index: Index) -> list[Table]:
    """A dataset by source, and how long its documents are."""
    return [_sources(digest, index), _lengths(index)]


def _sources(digest: str, index: Index) -> Table:
    headings = ("Source", "Split", "Documents", "Tokens", "Bytes", "Skipped", "Duplicates", "Licence", "Origin")
    rows = [
        _source(index, number if split == "train" else number + len(index.sources) - len(parts), split, part)
        for split, parts in (("train", index.train), ("validation", index.validation))
        for number, part in enumerate(parts)
    ]
    return table("sources", f"Dataset {digest[:12]}", headings, rows, ("Bytes", "Origin", "Duplicates", "Skipped"))


def _source(index: Index, number: int, split: str, part: SourcePart) -> list[Cell]:
    facts = index.sources[number]
    skipped = sum(entry.documents for entry in facts.skipped)
    return [
        text(part.path),
        text(split),
        *(fixed_cell(count, 0) for count in (part.documents, part.tokens, part.bytes, skipped, facts.duplicates)),
        text(facts.licence or "unknown"),
        text(facts.origin or "unknown"),
    ]


def _lengths(index: Index) -> Table:
    """Documents by powers of two of their tokens, with a bar."""
    parts = (*index.train, *index.validation)
    counts = list(map(sum, zip_longest(*(part.lengths for part in parts), fillvalue=0)))
    most, total = max(counts, default=0), sum(counts)
    rows = [
        [
            text(f"{2**power:,} to {2 ** (power + 1) - 1:,}"),
            fixed_cell(count, 0),
            share_cell(count / total),
            text("#" * round(_BAR * count / most)),
        ]
        for power, count in enumerate(counts)
        if count
    ]
    return table("lengths", "Length of documents", ("Tokens", "Documents", "Share", ""), rows)

"""`trainwright data ACTION`: the prepared datasets that runs share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..report.tables.datasets import DatasetRow, dataset_row, dataset_tables, datasets_table
from ..runtime.data.store import STORE, DatasetStore
from ..spec.dataset_index import Index
from ..spec.exit_codes import Exit
from ..spec.problem import InputError
from .options import FormatOption
from .output import print_tables

Action = Literal["list", "show", "verify", "prune"]
Actions = Annotated[Action, typer.Argument(metavar="ACTION", help="list, show, verify or prune.", show_default=False)]
Digest = Annotated[str, typer.Argument(metavar="DIGEST", help="Its first letters; default: every dataset.")]
Store = Annotated[Path, typer.Option("--store", metavar="DIR", help="Where they are: data.store of the spec.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="prune: only say what would be removed.")]


def command(
    action: Actions,
    digest: Digest = "",
    store: Store = Path("runs") / STORE,
    dry_run: DryRun = False,
    form: FormatOption = "text",
) -> None:
    """List datasets, show one by source and length, compare hashes, or remove those that no run refers to."""
    found = DatasetStore(store.resolve())
    chosen = [found.find(digest)] if digest else found.digests
    if action == "list":
        rows = _rows(found)
        print_tables([datasets_table(rows, str(store))], form, [row.model_dump() for row in rows])
    elif action == "show":
        whole = chosen[0] if digest else found.find("")
        index = _index(found, whole)
        print_tables(dataset_tables(whole, index), form, index.model_dump())
    elif action == "verify":
        sys.exit(_verify(found, chosen))
    else:
        _prune(found, chosen if digest else sorted({*chosen, *found.drafts}), dry_run=dry_run)


def _index(store: DatasetStore, digest: str) -> Index:
    from ..runtime.data.shards import read_index

    return read_index(store.folder(digest))


def _rows(store: DatasetStore) -> list[DatasetRow]:
    rows = [dataset_row(digest, "unfinished", None, ()) for digest in store.drafts]
    for digest in store.digests:
        users = [str(run) for run in store.users(digest)]
        try:
            rows.append(dataset_row(digest, "ready", _index(store, digest), users))
        except InputError:
            rows.append(dataset_row(digest, "damaged", None, users))
    return rows


def _verify(store: DatasetStore, digests: list[str]) -> Exit:
    """Read every byte; what is wrong, and the exit code."""
    from ..runtime.data.shards import damaged_shards

    code = Exit.DONE
    for digest in digests:
        try:
            wrong = damaged_shards(store.folder(digest), _index(store, digest), len(os.sched_getaffinity(0)))
        except InputError as error:
            wrong = [problem.message for problem in error.problems]
        code = Exit.CORRUPT if wrong else code
        typer.echo("\n".join([f"{digest[:12]}: {'damaged' if wrong else 'sound'}", *(f"  {line}" for line in wrong)]))
    return code


def _prune(store: DatasetStore, digests: list[str], *, dry_run: bool) -> None:
    for digest in digests:
        kept = store.why_kept(digest) if dry_run else store.remove(digest)
        done = f"kept: {kept}" if kept else "would be removed" if dry_run else "removed"
        typer.echo(f"{digest[:12]}: {done}")

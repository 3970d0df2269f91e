"""`trainwright data ACTION`: the prepared datasets that runs share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..report.tables.datasets import DatasetRow, dataset_row, dataset_tables, datasets_table
from ..runtime.data.store import STORE, DatasetStore
from ..spec.dataset_index import Index
from ..spec.exit_codes import Exit
from ..spec.problem import InputError
from .data_prepare import prepare
from .options import FormatOption, TableOption
from .output import print_tables

command = typer.Typer(no_args_is_help=True)
command.command("prepare")(prepare)
Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", show_default=False, help="Its first letters; default: every dataset.")
]
Store = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Where they are: data.store of the spec; default: runs/.datasets."),
]
_DEFAULT = Path("runs") / STORE
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")]


@command.command("list")
def list_(store: Store = None, form: FormatOption = "text") -> None:
    """List datasets, and those that are not finished."""
    rows = _rows(_opened(store))
    print_tables([datasets_table(rows, str(store or _DEFAULT))], form, [row.model_dump() for row in rows])


@command.command()
def show(
    digest: Annotated[str, typer.Argument(metavar="DIGEST", help="Its first letters.")],
    store: Store = None,
    form: FormatOption = "text",
    only: TableOption = None,
) -> None:
    """Show a dataset by source, and how long its documents are."""
    found = _opened(store)
    whole = found.find(digest)
    index = _index(found, whole)
    print_tables(dataset_tables(whole, index), form, index.model_dump(), only)


@command.command()
def verify(digest: Digest = "", store: Store = None) -> None:
    """Read every byte again and compare hashes."""
    found = _opened(store)
    sys.exit(_verify(found, [found.find(digest)] if digest else found.digests))


@command.command()
def prune(digest: Digest = "", store: Store = None, dry_run: DryRun = False) -> None:
    """Remove datasets that no run refers to, and what interrupted preparations have left."""
    found = _opened(store)
    _prune(found, [found.find(digest)] if digest else sorted({*found.digests, *found.drafts}), dry_run=dry_run)


def _opened(store: Path | None) -> DatasetStore:
    """The store of that name. Raises InputError where one that was named is not there."""
    if store is not None and not store.is_dir():
        raise InputError.one("TW870", f"{store} is not a folder", "Name the folder of a store.", "--store")
    return DatasetStore((store or _DEFAULT).resolve())


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
    if not digests:
        typer.echo(f"no dataset in {store.path}")
    for digest in digests:
        try:
            wrong = damaged_shards(store.folder(digest), _index(store, digest), len(os.sched_getaffinity(0)))
        except InputError as error:
            wrong = [problem.message for problem in error.problems]
        code = Exit.CORRUPT if wrong else code
        typer.echo("\n".join([f"{digest[:12]}: {'damaged' if wrong else 'sound'}", *(f"  {line}" for line in wrong)]))
    return code


def _prune(store: DatasetStore, digests: list[str], *, dry_run: bool) -> None:
    if not digests:
        typer.echo(f"no dataset in {store.path}")
    for digest in digests:
        kept = store.why_kept(digest) if dry_run else store.remove(digest)
        done = f"kept: {kept}" if kept else "would be removed" if dry_run else "removed"
        typer.echo(f"{digest[:12]}: {done}")

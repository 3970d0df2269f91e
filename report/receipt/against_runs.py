"""A receipt and run folders in, what differs between them out: files by their digests, then every input and number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...spec.problem import InputError
from .build import build_receipt
from .files import digest_file, digest_of
from .values import ACCOUNTED, File, Input, Number, Receipt, Record
from .verify import Difference

FOLDER_NAMED = {"label", "files"}  # what may differ where a folder was renamed, and what is compared file by file


def compare_with_runs(receipt: Receipt, folders: Sequence[Path]) -> list[Difference]:
    """What differs. Raises InputError where the folders are not as many as the receipt's runs, or hold no run."""
    if all(run.status == ACCOUNTED for run in receipt.runs):
        return list(_given_files(receipt, folders))
    if len(folders) != len(receipt.runs):
        labels = ", ".join(run.label for run in receipt.runs)
        message = f"the receipt is of {len(receipt.runs)} runs ({labels}), and {len(folders)} folders are given"
        raise InputError.one("TW868", message, "Give the folder of each run, in the receipt's order.")
    now = build_receipt(folders)
    found = [
        finding
        for old, new, folder in zip(receipt.runs, now.runs, folders, strict=True)
        for finding in (*_files(old, new, folder), *_facts(old, new))
    ]
    found += _values(receipt.inputs, now.inputs, "the run")
    found += _values(receipt.numbers, now.numbers, "the run")
    if [run.label for run in receipt.runs] == [run.label for run in now.runs]:  # tables name runs by their labels
        found += _tables(receipt.tables, now.tables)
    return found


def _given_files(receipt: Receipt, paths: Sequence[Path]) -> Iterator[Difference]:
    """The files of other tools that a receipt is of, by their names; their numbers are its inputs."""
    given = {path.name: path for path in paths}
    for file in dict.fromkeys(file for run in receipt.runs for file in run.files):
        path = given.get(Path(file.path).name)
        if path is None:
            yield Difference(file.path, "is not among the files that are given")
        elif (now := digest_file(path.resolve(), file.path)) != file:
            yield Difference(file.path, _change(file, now, path.parent))


def _tables(old: Sequence[File], new: Sequence[File]) -> Iterator[Difference]:
    now = {file.path: file for file in new}
    for file in old:
        if now.get(file.path) != file:
            yield Difference(file.path, "is not the table that `trainwright report` writes of the run")


def _files(old: Record, new: Record, folder: Path) -> Iterator[Difference]:
    """Files that are gone, new, longer or other."""
    held, found = ({file.path: file for file in record.files} for record in (old, new))
    for path, file in held.items():
        if path not in found:
            yield Difference(f"{old.id} {path}", "is missing in the run folder")
        elif found[path] != file:
            yield Difference(f"{old.id} {path}", _change(file, found[path], folder))
    for path in found.keys() - held.keys():
        yield Difference(f"{old.id} {path}", "is not in the receipt")


def _change(old: File, new: File, folder: Path) -> str:
    """A log that has grown still holds what the receipt was made of."""
    try:
        grown = new.bytes > old.bytes and digest_of(folder / old.path, old.bytes)[0] == old.sha256
    except OSError:
        grown = False
    if grown:
        return f"has grown by {new.bytes - old.bytes:,} bytes since; the first {old.bytes:,} are those of the receipt"
    return f"was changed: SHA-256 {old.sha256[:12]}... in the receipt, {new.sha256[:12]}... in the folder"


def _facts(old: Record, new: Record) -> Iterator[Difference]:
    now = new.model_dump(exclude=FOLDER_NAMED)
    for key, value in old.model_dump(exclude=FOLDER_NAMED).items():
        if value != now[key]:
            yield Difference(f"{old.id} {key}", f"is {value!r:.120} in the receipt, {now[key]!r:.120} in the run")


def _values(old: Sequence[Input | Number], new: Sequence[Input | Number], where: str) -> Iterator[Difference]:
    held, found = ({item.name: item for item in items} for items in (old, new))
    for name, item in held.items():
        if name not in found:
            yield Difference(name, f"{where} gives no such number")
        elif found[name] != item:
            yield Difference(name, _difference(item, found[name]))
    for name in found.keys() - held.keys():
        yield Difference(name, "is not in the receipt")


def _difference(old: Input | Number, new: Input | Number) -> str:
    """The first field that differs, in words."""
    before, after = old.model_dump(), new.model_dump()
    key = next(key for key, value in before.items() if after.get(key) != value)
    return f"its {key} is {before[key]!r:.120} in the receipt, {after[key]!r:.120} from the run"

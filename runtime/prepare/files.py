"""The files of a source: found by its pattern, in a fixed order, with what was left out."""

from __future__ import annotations

import hashlib
import sysconfig
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ...spec.corpus_format import refuse_unreadable, unknown_format
from ...spec.glob import FOLDER, NOT_LISTED, Found, LeftOut, and_more, described, find, shown
from ...spec.problem import InputError, Problem
from ...spec.remote_files import CorpusFile, find_remote, is_remote
from ...spec.sections import CorpusSource
from ...spec.token_file import index_of, without_indices
from ..data.shards import file_sha256

STDLIB = "python:stdlib"
_MOST = 100  # problems in one report
_NOT_SOURCES = {"site-packages", "dist-packages", "test", "tests", "idle_test", "lib2to3", "__pycache__"}


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The files of one source, and what its pattern matches beside them."""

    files: tuple[CorpusFile, ...]
    left_out: tuple[LeftOut, ...] = ()
    indices: tuple[CorpusFile, ...] = ()  # beside token files


def source_files(source: CorpusSource, root: Path) -> SourceFiles:
    """The files of a source. Raises InputError when there are none, or one that cannot be read."""
    if source.path == STDLIB:
        return SourceFiles(tuple(_stdlib()))
    remote = is_remote(source.path)
    found = Found([], []) if remote else _found(source, root)
    files: Sequence[CorpusFile] = find_remote(source.path) if remote else found.files
    if not files:
        raise InputError.one("TW831", *_nothing(source.path, root, found.left_out), "data.train")
    files = files if source.token_ids is None else without_indices(files)
    odd = [path for path in files if unknown_format(path.name, source)]
    if odd:
        message = f"{source.path}: cannot read {shown(odd[0])}: unknown format{and_more(len(odd) - 1)}"
        raise InputError.one("TW832", message, unknown_format(odd[0].name, source) or "", "data.train")
    if not remote:  # each look at a file of a store is a request
        _refuse_unreadable(files, source)
    indices = [] if source.token_ids is None else filter(None, map(index_of, files))
    return SourceFiles(tuple(files), tuple(found.left_out), tuple(indices))


def _found(source: CorpusSource, root: Path) -> Found:
    """The files of a source on disk."""
    found = find(source.path, root)
    hidden_from_us = [shown(entry.path) for entry in found.left_out if entry.reason == NOT_LISTED]
    if hidden_from_us:
        message = f"{source.path}: {hidden_from_us[0]} may not be listed"
        raise InputError.one("TW833", message, "Make the folder readable, or name other files.", "data.train")
    return found


def _refuse_unreadable(files: Sequence[CorpusFile], source: CorpusSource) -> None:
    """Raise InputError with every file that cannot be read, before hours are spent on those ahead of it."""
    problems: list[Problem] = []
    for path in files:
        try:
            refuse_unreadable(path, source)
        except InputError as error:
            problems += error.problems
        if len(problems) >= _MOST:
            break
    if problems:
        raise InputError(problems)


def _nothing(pattern: str, root: Path, left_out: Sequence[LeftOut]) -> tuple[str, str]:
    """What to say of a pattern without files, and the remedy."""
    remedy = "Correct the path; a folder needs a pattern for its files, like corpus/*.txt."
    if is_remote(pattern):
        return f"{pattern} matches no file", remedy
    if not left_out:
        return f"{pattern} matches no file below {root / Path(pattern).anchor}", remedy
    if {entry.reason for entry in left_out} == {"hidden"}:
        remedy = "Write the dot of a hidden name, like corpus/.*.txt."
    elif {entry.reason for entry in left_out} != {FOLDER}:
        remedy = "Name files, or links to files."
    return f"{pattern} matches no file, only {described(left_out)}", remedy


def _stdlib() -> list[Path]:
    """Sources of the running Python's standard library, without tests and installed packages."""
    library = Path(sysconfig.get_path("stdlib"))
    sources = (path for path in library.rglob("*.py") if not _NOT_SOURCES & set(path.relative_to(library).parts))
    return sorted(path for path in sources if path.stat().st_size)


Stamps = dict[CorpusFile, tuple[int, int]]  # size in bytes and time of the last change in ns


def stamps(paths: Sequence[CorpusFile]) -> Stamps:
    """What would show that a file was changed."""
    return {path: (facts.st_size, facts.st_mtime_ns) for path in paths for facts in [path.stat()]}


def changed(before: Stamps) -> list[str]:
    """The files that are not as they were, in order."""
    return [shown(path) for path, stamp in before.items() if not path.is_file() or stamps([path])[path] != stamp]


def content_digests(paths: Sequence[CorpusFile], workers: int) -> list[str]:
    """A digest of each file's content: neither its name nor its time says what is in it. Raises OSError."""
    with ThreadPoolExecutor(workers) as pool:  # hashing lets go of the interpreter
        return list(pool.map(_digest, paths))


def _digest(path: CorpusFile) -> str:
    """The SHA-256, or what the store says of the content in its place."""
    if isinstance(path, Path):
        return file_sha256(path)
    known = path.digest()
    if known is not None:
        return known
    with path.open() as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

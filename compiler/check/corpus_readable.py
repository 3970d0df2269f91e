"""Every file of the corpus that is here can be read.

The names of all files that match are looked at, and both ends of the first hundred of each source: an unknown format,
a Parquet file without pyarrow or without the column of text, a file that may not be read or is cut off. Preparing the
data looks at all of them, but only after the job has waited for its devices. A pattern that matches nothing here is
known by its own ending.

Bad:

    data: {train: corpus/*.docx}

Good:

    data: {train: corpus/*.jsonl.gz}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...spec.corpus_format import refuse_unreadable, unknown_format
from ...spec.glob import and_more, shown
from ...spec.problem import InputError
from ...spec.remote_files import CorpusFile, is_remote, refuse_store
from ...spec.sections import CorpusSource
from ...spec.token_file import without_indices
from ..load import Loaded
from ..plan.corpus_tokens import STDLIB, found_here
from .finding import Finding

CODE = "TW322"
MOST_OPENED = 100  # files of a source: a few tenths of a second
_ENDING = re.compile(r"\.[A-Za-z0-9]+")


def check(loaded: Loaded) -> Iterator[Finding]:
    """Files and patterns that preparation would refuse."""
    for source, key in zip(loaded.spec.data.sources, loaded.spec.data.keys, strict=False):
        if source.path == STDLIB:
            continue
        where, found = key, found_here(source.path, loaded.path.parent)
        if is_remote(source.path):
            yield from _store(f"{where}.path", source)
        if found.files:
            files = without_indices(found.files) if source.token_ids else found.files
            yield from _unknown(f"{where}.path", source, files)
            yield from _unreadable(where, source, files)
        elif not found.left_out:
            yield from _elsewhere(f"{where}.path", source)


def _unknown(where: str, source: CorpusSource, files: Sequence[CorpusFile]) -> Iterator[Finding]:
    odd = [(path, endings) for path in files if (endings := unknown_format(path.name, source))]
    if odd:
        path, endings = odd[0]
        message = f"{source.path!r}: cannot read {shown(path.name)}: unknown format{and_more(len(odd) - 1)}"
        yield Finding(where, message, endings)


def _store(where: str, source: CorpusSource) -> Iterator[Finding]:
    """A store that is not known, or whose package is not installed."""
    try:
        refuse_store(source.path)
    except InputError as error:
        yield from (Finding(where, problem.message, problem.remedy) for problem in error.problems)


def _elsewhere(where: str, source: CorpusSource) -> Iterator[Finding]:
    """A pattern without files here whose own ending says enough."""
    name = source.path.rpartition("/")[2]
    ending, endings = name[name.rfind(".") :] if "." in name else "", unknown_format(source.path, source)
    if endings and _ENDING.fullmatch(ending):
        yield Finding(where, f"{source.path!r}: unknown format", endings)


def _unreadable(where: str, source: CorpusSource, files: Sequence[CorpusFile]) -> Iterator[Finding]:
    """The first file with each kind of fault, and how many more have it."""
    faults: dict[str, list[Finding]] = {}
    for path in [path for path in files if not unknown_format(path.name, source)][:MOST_OPENED]:
        try:
            refuse_unreadable(path, source)
        except InputError as error:
            (problem,) = error.problems
            key = f"{where}.{'field' if problem.code == 'TW836' else 'path'}"
            faults.setdefault(problem.code, []).append(Finding(key, problem.message, problem.remedy))
    for same in faults.values():
        first = same[0]
        yield Finding(first.path, first.message + and_more(len(same) - 1), first.remedy)

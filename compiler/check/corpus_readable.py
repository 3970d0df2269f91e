"""Every file of the corpus that is here can be read.

The names of all files that match are looked at, and both ends of the first hundred of each source: an unknown format,
a Parquet file without pyarrow or without the column of text, a file that may not be read or is cut off. Preparing the
data looks at all of them, but only after the job has waited for its devices. A pattern that matches nothing here is
judged by its own ending.

Bad:

    data: {train: corpus/*.docx}

Good:

    data: {train: corpus/*.jsonl.gz}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...spec.corpus_format import ENDINGS, file_format, refuse_unreadable
from ...spec.glob import Found, and_more, shown
from ...spec.problem import InputError
from ...spec.sections import CorpusSource
from ..load import Loaded
from .corpus_size import STDLIB, found_here
from .finding import Finding

CODE = "TW322"
MOST_OPENED = 100  # files of a source: a few tenths of a second
_ENDING = re.compile(r"\.[A-Za-z0-9]+")


def check(loaded: Loaded) -> Iterator[Finding]:
    """Files and patterns that preparation would refuse."""
    for index, source in enumerate(loaded.spec.data.train):
        if source.path != STDLIB:
            found = found_here(source.path, loaded.path.parent)
            yield from _unknown(f"data.train.{index}.path", source.path, found)
            yield from _unreadable(f"data.train.{index}", source, found)


def _unknown(where: str, pattern: str, found: Found) -> Iterator[Finding]:
    odd = [path for path in found.files if file_format(path.name) is None]
    if odd:
        more = and_more(len(odd) - 1)
        yield Finding(where, f"{pattern!r}: cannot read {shown(odd[0].name)}: unknown format{more}", ENDINGS)
    elif not (found.files or found.left_out) and file_format(pattern) is None:
        name = pattern.rpartition("/")[2]
        if _ENDING.fullmatch(name[name.rfind(".") :] if "." in name else ""):
            yield Finding(where, f"{pattern!r}: unknown format", ENDINGS)


def _unreadable(where: str, source: CorpusSource, found: Found) -> Iterator[Finding]:
    """The first file with each kind of fault, and how many more have it."""
    faults: dict[str, list[Finding]] = {}
    for path in [path for path in found.files if file_format(path.name)][:MOST_OPENED]:
        try:
            refuse_unreadable(path, source.field)
        except InputError as error:
            (problem,) = error.problems
            key = f"{where}.{'field' if problem.code == 'TW836' else 'path'}"
            faults.setdefault(problem.code, []).append(Finding(key, problem.message, problem.help))
    for same in faults.values():
        first = same[0]
        yield Finding(first.path, first.message + and_more(len(same) - 1), first.help)

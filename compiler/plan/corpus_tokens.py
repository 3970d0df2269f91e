"""How many tokens the sources of a corpus hold, from the sizes of the files that can be found from here.

Text becomes tokens at 2.5 to 5 bytes each; files of tokens say how many they are. Nothing is reported of a pattern with
`**` below which there are thousands of folders, since walking a whole file system would take too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ...spec.corpus_format import unknown_format
from ...spec.facts import figures
from ...spec.glob import Found, find
from ...spec.mixture import epochs, shares
from ...spec.problem import InputError
from ...spec.remote_files import is_remote
from ...spec.sections import CorpusSource
from ...spec.token_file import ITEM_BYTES, open_token_file, without_indices
from ..load import Loaded

STDLIB = "python:stdlib"
MAX_FILES = 20_000  # beyond this many a corpus is large enough, and looking at each would take seconds
MAX_FOLDERS = 2_000  # as many are walked in a tenth of a second


@dataclass(frozen=True, slots=True)
class SourceTokens:
    """What a source of a mixture holds and gives: each (fewest, most), but the share of the samples."""

    path: str
    tokens: tuple[float, float]
    share: float
    epochs: tuple[float, float]


def found_here(pattern: str, folder: Path) -> Found:
    """What matches a pattern from here, as far as that can be found out at once."""
    if is_remote(pattern):
        return Found(complete=False)  # a store is not asked: it is slow, and may not be reached from here
    return find(pattern, folder, most_files=MAX_FILES, most_folders=MAX_FOLDERS)


def token_range(source: CorpusSource, folder: Path) -> tuple[float, float] | None:
    """The fewest and the most tokens of a source; None where that is not known: no file here, or too many."""
    if source.token_ids is not None:
        count = _ids(source, folder)
        return None if count is None else (count, count)
    size = _text_bytes(source.path, folder)
    least, most = figures("sanity")["bytes_per_token"]
    return None if size is None else (size / most, size / least)


def _ids(source: CorpusSource, folder: Path) -> float | None:
    found = found_here(source.path, folder)
    files = [path for path in without_indices(found.files) if not unknown_format(path.name, source)]
    if source.token_ids is None or not files or not found.complete:
        return None
    try:
        item = ITEM_BYTES[open_token_file(files[0], source.token_ids).dtype]
    except InputError:  # a rule of `check` says so
        return None
    return sum(path.stat().st_size for path in files) / item or None


def _text_bytes(pattern: str, folder: Path) -> float | None:
    """Bytes of text that match a pattern, the compressed ones as far as they usually expand."""
    if pattern == STDLIB:
        return figures("sanity")["stdlib_bytes"]
    packed = figures("sanity")["compression"]
    found = found_here(pattern, folder)
    sizes = [path.stat().st_size * packed.get(path.suffix.lstrip("."), 1) for path in found.files]
    return sum(sizes) if found.complete and sum(sizes) else None


def source_tokens(loaded: Loaded) -> list[SourceTokens] | None:
    """What each source of a mixture gives; None for one source, and where the size of one is not known."""
    data = loaded.spec.data
    ranges = [token_range(source, loaded.path.parent) for source in data.train]
    known = [found for found in ranges if found is not None]
    if len(known) < len(ranges) or len(ranges) == 1:
        return None
    parts = shares([source.weight for source in data.train], [most for _, most in known])
    seldom, often = (epochs(data.tokens, parts, [found[side] for found in known]) for side in (1, 0))
    return [SourceTokens(source.path, known[n], parts[n], (seldom[n], often[n])) for n, source in enumerate(data.train)]

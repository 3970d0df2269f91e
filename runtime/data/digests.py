"""The identity of a run's data: digests of its tokenizer and of its shards, which every checkpoint carries.

The shards are the run's data. The corpus is needed only to make them, so nothing of it counts here but what it gave.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ...spec.dataset_index import Index
from ...spec.problem import InputError, Problem
from ...spec.run_folder import RunFolder
from .shards import file_sha256, read_index

TOKENIZER, DATA = "tokenizer", "data"


def data_digests(run: RunFolder) -> dict[str, str]:
    """The digests of what the run folder holds; one that is not there is left out."""
    found: dict[str, str] = {}
    if run.tokenizer.is_file():
        found[TOKENIZER] = file_sha256(run.tokenizer)
    try:
        found[DATA] = shards_digest(read_index(run.data))
    except InputError:  # no shards, or none that can be used: they are made again
        return found
    return found


def shards_digest(index: Index) -> str:
    """The digest of all tokens, by way of the shards' own."""
    parts = [[[shard.sha256 for shard in part.shards] for part in side] for side in (index.train, index.validation)]
    facts = [index.dtype, index.vocab_size, index.tokenizer_sha256, parts]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def differences(run: RunFolder, trained: Mapping[str, str], found: Mapping[str, str]) -> list[Problem]:
    """A problem for the tokenizer and for the shards that are not those of the run's checkpoints."""
    places = {TOKENIZER: run.tokenizer, DATA: run.data}
    remedy = "Put the old ones back, or start a new run folder."
    return [
        Problem("TW815", "error", f"{places[name]} is not the {name} that {run.path} was trained on", remedy, name)
        for name in places
        if name in found and trained.get(name, found[name]) != found[name]
    ]


def require_same(run: RunFolder, trained: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise InputError when tokenizer or shards are not those that the checkpoint was trained on."""
    if problems := differences(run, trained, found):
        raise InputError(problems)

"""The digest of a corpus, left in the run folder by the step that has read it, for the steps on other machines."""

from __future__ import annotations

import json

from ...spec.atomic_files import write_atomically
from ...spec.foreign_files import read_json
from ...spec.run_folder import RunFolder
from .files import Stamps

_FILE = "corpus.json"  # beside the tokenizer


def record_corpus(run: RunFolder, stamps: tuple[Stamps, ...], fingerprint: str) -> None:
    """Leave the digest of a corpus whose files have these sizes and times. Raises OSError."""
    content = {"stamps": _plain(stamps), "fingerprint": fingerprint}
    write_atomically(run.tokenizer.with_name(_FILE), json.dumps(content).encode())


def recorded_fingerprint(run: RunFolder, stamps: tuple[Stamps, ...]) -> str | None:
    """The digest that was left, if the files have still the sizes and times of then."""
    try:
        content = read_json(run.tokenizer.with_name(_FILE))
        return str(content["fingerprint"]) if content["stamps"] == _plain(stamps) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _plain(stamps: tuple[Stamps, ...]) -> list[list[list[object]]]:
    return [[[str(path), *stamp] for path, stamp in files.items()] for files in stamps]

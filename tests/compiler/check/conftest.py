"""The bad specs, each with one thing wrong."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CORPUS_BYTES = 2 * 10**12  # enough for base/gpu.yaml; a sparse file takes none of it


@pytest.fixture(scope="session")
def bad(tmp_path_factory) -> Path:
    """tests/bad beside the corpus that its base names, or every spec would lack text as well."""
    folder = shutil.copytree(Path(__file__).parents[2] / "bad", tmp_path_factory.mktemp("specs") / "bad")
    text = folder / "corpus/part/text.jsonl"
    text.parent.mkdir(parents=True)
    text.touch()
    os.truncate(text, CORPUS_BYTES)
    return folder

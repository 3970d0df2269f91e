"""The tokenizer that lies beside an imported checkpoint, as far as a run can use it."""

from __future__ import annotations

from pathlib import Path

from ...spec.problem import InputError
from ..data.json_tokenizer import CONFIG
from ..data.tokenizer import LARGEST_MODEL, Tokenizer

MODEL, JSON = "tokenizer.model", "tokenizer.json"


def tokenizer_files(source: Path, vocab_size: int) -> tuple[Path, ...]:
    """The files of the SentencePiece model in a folder, or of its tokenizer.json; none when it has neither.

    Raises InputError when one is not a file, too large, or of another vocabulary.
    """
    names = (MODEL,) if (source / MODEL).exists() else (JSON, CONFIG)
    paths = tuple(source / name for name in names)
    if not paths[0].exists():
        return ()
    for path in paths:
        if not path.is_file():
            raise InputError.one("TW884", f"{path} is not a file", "Download it again.", "SOURCE")
        if path.stat().st_size > LARGEST_MODEL:
            raise InputError.one("TW884", f"{path} is too large for a tokenizer", "Download it again.", "SOURCE")
    if paths[0].name == MODEL and (found := Tokenizer(paths[0]).vocab_size) != vocab_size:
        message = f"its tokenizer has {found} pieces, the model {vocab_size}"
        raise InputError.one("TW884", f"{source}: {message}", "Pad neither of them.", "SOURCE")
    return paths

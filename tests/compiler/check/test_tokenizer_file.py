"""A tokenizer that cannot be used is an error of `check`."""

from __future__ import annotations

import base64
from pathlib import Path

from trainwright.compiler.check import tokenizer_file
from trainwright.compiler.load import load

BASE = Path(__file__).parents[2] / "bad" / "base" / "cpu.yaml"


def test_a_file_of_tiktoken_is_known_by_its_content(tmp_path: Path) -> None:
    """Llama 3's is called tokenizer.model; the remedy names the way to a tokenizer.json. Other bytes are no ranks."""
    (tmp_path / "spec.yaml").write_text(BASE.read_text(encoding="utf-8"), encoding="utf-8")
    loaded = load(tmp_path / "spec.yaml", ["tokenizer={vocab_size: 300, path: tokenizer.model}"])
    model = tmp_path / "tokenizer.model"
    model.write_text("".join(f"{base64.b64encode(bytes([rank])).decode()} {rank}\n" for rank in range(256)))
    (finding,) = tokenizer_file.check(loaded)
    assert (finding.path, "tiktoken" in finding.message, "tokenizer.json" in finding.remedy) == (
        "tokenizer.path",
        True,
        True,
    )
    model.write_bytes(b"\x0a\x0e\x0a\x05<unk>")
    assert not list(tokenizer_file.check(loaded))

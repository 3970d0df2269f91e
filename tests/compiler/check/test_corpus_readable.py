"""What preparation would refuse hours later is an error of `check`, at the glob or the field of the spec."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import zstandard
from pyarrow import parquet

from trainwright.compiler.check import check, corpus_readable
from trainwright.compiler.load import load
from trainwright.spec.corpus_format import COMPRESSIONS
from trainwright.spec.problem import Problem

BASE = (Path(__file__).parents[2] / "bad/base/cpu.yaml").read_text(encoding="utf-8")
PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress}


def problems(folder: Path, train: str) -> list[Problem]:
    """The errors of this rule about a spec with these sources; each key of it has a line of its own."""
    spec = folder / "spec.yaml"
    old = "data: {train: corpus/**/*.jsonl, tokens: 40M}"
    assert old in BASE
    spec.write_text(BASE.replace(old, f"data:\n  tokens: 40M\n  train:\n{train}"), encoding="utf-8")
    return [problem for problem in check(load(spec)) if problem.code == corpus_readable.CODE]


def table(path: Path, **columns: object) -> None:
    """A Parquet file."""
    parquet.write_table(pa.table(columns), path)


def test_a_column_that_is_missing_or_no_text_points_at_its_field(tmp_path: Path) -> None:
    """The columns that are there are listed, files with the same fault are counted, the glob of another one stands."""
    table(tmp_path / "a.parquet", text=["a"], body=["b"])
    table(tmp_path / "b.parquet", text=[1], body=["b"])
    table(tmp_path / "c.parquet", body=["b"])
    (first,) = problems(tmp_path, "    - path: '*.parquet'\n      field: text\n")
    assert first.place is not None
    assert first.place.text.strip() == "field: text"
    assert "b.parquet has no column 'text' of text; it has text (int64), body (string) and 1 more" in first.message
    assert problems(tmp_path, "    - path: '*.parquet'\n      field: body\n") == []


def test_without_pyarrow_the_extra_is_named_at_the_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where there is such a file: another machine may have both."""
    monkeypatch.setattr("trainwright.spec.corpus_format.find_spec", lambda _: None)
    assert problems(tmp_path, "    - '*.parquet'\n") == []
    table(tmp_path / "a.parquet", text=["a"])
    (found,) = problems(tmp_path, "    - '*.parquet'\n")
    assert found.place is not None
    assert "'*.parquet'" in found.place.text
    assert found.remedy == "Run: pip install 'trainwright[parquet]'."


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_what_is_not_compressed_as_it_says_is_an_error(tmp_path: Path, suffix: str) -> None:
    """By its first bytes; sound files, empty ones and several frames after another are none."""
    packed = PACK[suffix](b"words of text\n" * 100)
    path = tmp_path / f"a.txt{suffix}"
    for sound in (packed, packed * 2, b""):
        path.write_bytes(sound)
        assert problems(tmp_path, "    - 'a.txt*'\n") == []
    path.write_bytes(b"words of text\n" * 100)
    (found,) = problems(tmp_path, "    - 'a.txt*'\n")
    assert f"a.txt{suffix} cannot be read: it does not begin as a {suffix} file does" in found.message


@pytest.mark.parametrize("name", ["a.parquet", "a.txt.xz"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_an_error_where_its_end_tells(tmp_path: Path, name: str, kept: float) -> None:
    """Parquet and xz have a footer."""
    table(tmp_path / "a.parquet", text=["words of text"] * 1000)
    (tmp_path / "a.txt.xz").write_bytes(lzma.compress(bytes(range(256)) * 40))
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * kept)])
    (found,) = problems(tmp_path, f"    - {name}\n")
    assert f"{name} cannot be read: " in found.message


def test_one_odd_file_among_many_is_named(tmp_path: Path) -> None:
    """A README beside the text is not passed over in silence."""
    for name in ("a.txt", "README.md", "notes.doc"):
        (tmp_path / name).write_text("text", encoding="utf-8")
    (found,) = problems(tmp_path, "    - '[!s]*'\n")
    assert found.message == "'[!s]*': cannot read README.md: unknown format and 1 more"


@pytest.mark.parametrize("train", ["none/*.docx", "none/*.parquet.gz", "none/a.csv"])
def test_a_pattern_for_files_elsewhere_is_judged_by_its_ending(tmp_path: Path, train: str) -> None:
    """No file needs to be here for that."""
    (found,) = problems(tmp_path, f"    - '{train}'\n")
    assert found.message == f"{train!r}: unknown format"


@pytest.mark.parametrize("train", ["none/*", "none/**", "none/*.json*", "none/*.[jt]*", "none/a.parquet", "none"])
def test_a_pattern_for_files_elsewhere_may_be_of_any_known_format(tmp_path: Path, train: str) -> None:
    """What it would match there is not known here."""
    assert problems(tmp_path, f"    - '{train}'\n") == []


IDS = "token_ids: {vocab_size: 2048, end_of_document: 2}"


def test_token_files_are_looked_at_by_their_headers(tmp_path: Path) -> None:
    """A sound one is fine, an .idx belongs to its .bin, and a flat file of no known type is an error."""
    np.save(tmp_path / "a.npy", np.zeros(100, "uint16"))
    assert problems(tmp_path, f"    - {{path: 'a.*', {IDS}}}\n") == []
    (tmp_path / "a.bin").write_bytes(bytes(200))
    (found,) = problems(tmp_path, f"    - {{path: 'a.bin', {IDS}}}\n")
    assert found.message.endswith("a.bin cannot be read: a flat .bin does not say the type of its ids")
    assert problems(tmp_path, f"    - {{path: 'a.bin', {IDS[:-1]}, dtype: uint16}}}}\n") == []
    (tmp_path / "a.idx").write_bytes(b"words")
    (found,) = problems(tmp_path, f"    - {{path: 'a.*', {IDS}}}\n")
    assert found.message.endswith("a.idx cannot be read: it is not an index of Megatron's")


def test_the_tokens_of_token_files_are_counted(tmp_path: Path) -> None:
    """40M tokens of 100 are too many, with their number."""
    np.zeros(100, "uint16").tofile(tmp_path / "a.bin")
    problems(tmp_path, f"    - {{path: 'a.bin', {IDS[:-1]}, dtype: uint16}}}}\n")
    messages = [problem.message for problem in check(load(tmp_path / "spec.yaml")) if problem.code == "TW407"]
    assert messages == ["these files hold at most 100 tokens, so each is seen 400,000 times"]


def test_a_store_is_an_error_only_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named at the glob; the store itself is not asked, so neither notes nor sizes are made of it."""
    monkeypatch.setattr("trainwright.spec.remote_files.find_spec", lambda name: name)
    assert problems(tmp_path, "    - 's3://bucket/*.jsonl'\n") == []
    assert check(load(tmp_path / "spec.yaml")) == []
    monkeypatch.setattr("trainwright.spec.remote_files.find_spec", lambda _: None)
    (found,) = problems(tmp_path, "    - 's3://bucket/*.jsonl'\n")
    assert found.message == "s3://bucket/*.jsonl needs fsspec, which is not installed"
    assert found.remedy == "Run: pip install 'trainwright[remote]'."
    (found,) = problems(tmp_path, "    - 'ftp://host/*.jsonl'\n")
    assert found.message == "ftp://host/*.jsonl: unknown store ftp://"
    assert len(problems(tmp_path, "    - 's3://bucket/*.docx'\n")) == 2

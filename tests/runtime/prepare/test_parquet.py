"""Parquet: a column of text by name, rows as documents, and refusals that say what the file has."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from trainwright.runtime.prepare import corpus
from trainwright.runtime.prepare.corpus import Reading
from trainwright.runtime.prepare.documents import BadDocument, documents
from trainwright.spec.problem import InputError


def found(path: Path, **reading: object) -> list[str]:
    """The documents of a file, and the numbers and codes of bad rows."""
    entries = [entry for block, _ in corpus.blocks(path, Reading(**reading)) for entry in documents(block)]
    return [f"{e.code}:{e.line}" if isinstance(e, BadDocument) else e.text for e in entries]


def table(path: Path, **columns: object) -> Path:
    """A file of two row groups or more."""
    parquet.write_table(pa.table(columns), path, row_group_size=300)
    return path


def test_rows_are_documents_of_the_named_column(tmp_path: Path) -> None:
    """Over batches and row groups, in order, other columns unread."""
    texts = [f"{number} é" for number in range(1000)]
    path = table(tmp_path / "a.parquet", id=list(range(1000)), body=texts)
    assert found(path, field="body") == texts
    assert [done for _, done in corpus.blocks(path, Reading("body"))][-1] == path.stat().st_size


def test_bad_rows_have_their_number(tmp_path: Path) -> None:
    """A null is no text, a long text is over the bound, an empty one is nothing."""
    path = table(tmp_path / "a.parquet", text=["a", None, "", "x" * 50, "b"])
    assert found(path, max_document=40) == ["a", "TW836:2", "TW840:4", "b"]


def test_a_column_that_is_not_text_is_refused_with_what_there_is(tmp_path: Path) -> None:
    """Another name or another type: the columns are listed with their types."""
    path = table(tmp_path / "a.parquet", text=[1, 2], body=["a", "b"])
    with pytest.raises(InputError, match=r"no column 'text' of text; it has text \(int64\), body \(string\)"):
        found(path)


def test_a_file_that_expands_without_end_is_refused(tmp_path: Path) -> None:
    """One text many times, or a long text that compresses well: refused at once, and the spec can raise the bound."""
    same = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), pa.array(["a" * 10**6]))
    whole = {"compression": "zstd", "dictionary_pagesize_limit": 2**30, "store_schema": False}
    for number, column in enumerate((same, pa.array(["a" * 10**8]))):
        path = tmp_path / f"{number}.parquet"
        parquet.write_table(pa.table({"text": column}), path, **whole)
        with pytest.raises(InputError, match=r"TW840.*expands to more than"):
            found(path)
    assert found(path, max_expansion=1e6, max_document=2**30) == ["a" * 10**8]


@pytest.mark.parametrize("kept", [0, 4, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: float) -> None:
    """Its end holds the schema, so nothing of it can be trusted."""
    path = table(tmp_path / "a.parquet", text=["words of text"] * 1000)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept >= 1 else len(content) * kept)])
    with pytest.raises(InputError, match=r"TW833.*cannot be read"):
        found(path)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install."""
    path = table(tmp_path / "a.parquet", text=["a"])
    monkeypatch.setattr("trainwright.spec.corpus_format.find_spec", lambda _: None)
    with pytest.raises(InputError, match="TW832") as refused:
        found(path)
    assert "trainwright[parquet]" in refused.value.problems[0].remedy

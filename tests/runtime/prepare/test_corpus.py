"""The corpus: every format read as it is, in a fixed order, and refusals that name file and line."""

import json
from pathlib import Path

import pytest
import zstandard

from trainwright.runtime.prepare import corpus
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Source


def texts(path: Path, field: str = "text") -> list[str]:
    """All documents of a file."""
    return [text for block, _ in corpus.blocks(path, field) for text in corpus.documents(block)]


def write(path: Path, content: bytes | str) -> Path:
    """A file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_text_file_is_one_document(tmp_path):
    """A .txt file comes back whole, line ends and spaces included."""
    assert texts(write(tmp_path / "a.txt", " Grüße\r\n\n  x\n")) == [" Grüße\r\n\n  x\n"]


def test_a_long_text_is_cut_at_line_ends_and_loses_nothing(tmp_path):
    """Documents of a long file end with a line, and together are the file."""
    content = "".join(f"line {number} é\n" for number in range(50_000))
    found = texts(write(tmp_path / "long.txt", content))
    assert "".join(found) == content
    assert len(found) > 5
    assert all(text.endswith("\n") for text in found)


@pytest.mark.parametrize("word", ["word ", "\u4e2d", "\U0001f600"])
def test_a_text_without_line_ends_is_cut_between_words(tmp_path, word):
    """Ten MiB on one line are never held at once, and neither a word nor a character is torn."""
    content = word * (10 * 2**20 // len(word.encode()))
    found = texts(write(tmp_path / "long.txt", content))
    assert "".join(found) == content
    assert max(len(text.encode()) for text in found) < 2**20 + 2**16
    assert all(len(text) % len(word) == 0 for text in found)


def test_a_pattern_may_be_absolute(tmp_path):
    """Corpora lie on a cluster's file system, not beside the spec."""
    path = write(tmp_path / "a.txt", "a")
    assert corpus.files(Source(path=f"{tmp_path}/*.txt"), Path("elsewhere")) == [path]


def test_json_lines_give_the_named_field(tmp_path):
    """One document a line from the field that the spec names; empty lines and empty texts are nothing."""
    lines = [json.dumps({"body": "a\nb", "text": "no"}), "", json.dumps({"body": ""}), json.dumps({"body": "é"})]
    assert texts(write(tmp_path / "a.jsonl", "\n".join(lines)), "body") == ["a\nb", "é"]


def test_compressed_lines_equal_plain_ones(tmp_path):
    """A .jsonl.zst, even of several frames, holds the same documents as the plain file."""
    lines = [json.dumps({"text": f"{number} " * 200}) + "\n" for number in range(5000)]
    frames = [zstandard.compress("".join(half).encode()) for half in (lines[:2000], lines[2000:])]
    plain = texts(write(tmp_path / "a.jsonl", "".join(lines)))
    assert texts(write(tmp_path / "b.jsonl.zst", b"".join(frames))) == plain
    assert len(plain) == 5000


def test_the_standard_library_is_found_without_tests_and_packages():
    """python:stdlib is this Python's own sources, sorted, real, and free of site-packages and test suites."""
    found = corpus.files(Source(path="python:stdlib"), Path("/"))
    assert found == sorted(found)
    assert {"argparse.py", "typing.py"} <= {path.name for path in found}
    assert not any({"site-packages", "test", "tests"} & set(path.parts[-4:]) for path in found)


WRONG = {
    "text": ("a.txt", b"fine\nstill\n\xff\xfe", "TW834", 3, "0xff is not UTF-8"),
    "json bytes": ("a.jsonl", b'{"text": "a"}\n{"text": "\xc3"}', "TW834", 2, "not UTF-8"),
    "half a line": ("a.jsonl", b'{"text": "a"}\n\n{"text": ', "TW835", 3, "not a JSON object"),
    "no field": ("a.jsonl", b'{"body": "a"}', "TW836", 1, "it has 'body'"),
    "a number": ("a.jsonl", b'{"text": 3}', "TW836", 1, "no text in field 'text'"),
    "a list": ("a.jsonl", b"[1]", "TW836", 1, "no text in field"),
    "surrogate": ("a.jsonl", b'{"text": "\\ud83d"}', "TW834", 1, "surrogate"),
    "nesting": ("a.jsonl", b"[" * 100_000, "TW835", 1, "not a JSON object"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_content_is_refused_with_file_and_line(tmp_path, case):
    """Nothing is guessed or skipped: the first wrong line is named."""
    name, content, code, line, says = case
    path = write(tmp_path / name, content)
    with pytest.raises(InputError) as refused:
        texts(path)
    (problem,) = refused.value.problems
    assert (problem.code, problem.place.file, problem.place.line) == (code, str(path), line)
    assert says in problem.message
    assert problem.help


def test_line_numbers_hold_beyond_the_first_block(tmp_path):
    """A fault deep inside a large file still has its true line number."""
    good = (json.dumps({"text": "x" * 1000}) + "\n").encode()
    with pytest.raises(InputError) as refused:
        texts(write(tmp_path / "a.jsonl", good * 3000 + b"{}\n" + good))
    assert refused.value.problems[0].place.line == 3001


@pytest.mark.parametrize("kept", [0.5, 0.9999])
def test_a_truncated_archive_is_refused(tmp_path, kept):
    """Part of a .zst file is an error, not a shorter corpus, even when it ends with a line."""
    whole = zstandard.compress(b"".join(json.dumps({"text": str(n)}).encode() + b"\n" for n in range(100_000)))
    with pytest.raises(InputError, match=r"TW83[35]"):
        texts(write(tmp_path / "a.jsonl.zst", whole[: int(len(whole) * kept)]))
    text = zstandard.ZstdCompressor(write_checksum=True).compress(b'{"text": "a"}\n')
    with pytest.raises(InputError, match="ends inside a frame"):
        texts(write(tmp_path / "a.jsonl.zst", text[:-1]))


@pytest.mark.parametrize(
    ("path", "code"), [("none/*.txt", "TW831"), ("*.csv", "TW832"), ("/none/*.txt", "TW831"), (".", "TW831")]
)
def test_a_pattern_without_readable_files_is_refused(tmp_path, path, code):
    """No match, an unknown format, a pattern that is none: each has its code."""
    write(tmp_path / "a.csv", "a,b")
    with pytest.raises(InputError, match=code):
        corpus.files(Source(path=path), tmp_path)


def test_the_fingerprint_changes_with_the_files(tmp_path):
    """Adding or changing a file changes the digest; asking twice does not."""
    first = write(tmp_path / "a.txt", "a")
    before = corpus.fingerprint([first], tmp_path)
    assert corpus.fingerprint([first], tmp_path) == before
    assert corpus.fingerprint([first, write(tmp_path / "b.txt", "b")], tmp_path) != before
    assert corpus.fingerprint([write(first, "ab")], tmp_path) != before

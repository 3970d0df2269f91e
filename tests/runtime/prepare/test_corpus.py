"""The corpus: every format read as it is, documents whole, bounds kept, and what is wrong named by file and line."""

import bz2
import gzip
import hashlib
import json
import lzma
import os
from pathlib import Path

import pytest
import zstandard

from trainwright.runtime.prepare import corpus, documents, files
from trainwright.runtime.prepare.corpus import Reading
from trainwright.runtime.prepare.decompress import contents
from trainwright.runtime.prepare.documents import BadDocument, Document
from trainwright.spec.problem import InputError
from trainwright.spec.sections import CorpusSource

MIB = 2**20


def found(path: Path, **reading: object) -> list[Document | BadDocument]:
    """Everything in a file."""
    blocks = corpus.blocks(path, Reading(**reading))
    return [entry for block, _ in blocks for entry in documents.documents(block)]


def texts(path: Path, **reading: object) -> list[str]:
    """All documents of a file, none of which is bad; pieces of one are put together."""
    whole: list[str] = []
    for entry in found(path, **reading):
        assert isinstance(entry, Document), entry
        whole = [*whole, entry.text] if entry.part.first else [*whole[:-1], whole[-1] + entry.text]
    return whole


def bad(path: Path, **reading: object) -> list[BadDocument]:
    """What is wrong in a file."""
    return [entry for entry in found(path, **reading) if isinstance(entry, BadDocument)]


def write(path: Path, content: bytes | str) -> Path:
    """A file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(*values: object) -> str:
    """JSON lines of these texts."""
    return "".join(json.dumps({"text": value}) + "\n" for value in values)


def test_a_text_file_is_one_document(tmp_path):
    """A .txt file comes back whole, line ends and spaces included."""
    assert texts(write(tmp_path / "a.txt", " Grüße\r\n\n  x\n")) == [" Grüße\r\n\n  x\n"]


LONG = {
    "lines": "line é of a book\n",
    "words": "word  word ",
    "no blanks": "\u4e2d",
    "emoji": "\U0001f600",
    "blanks": " ",
    "line ends": "\n",
}


@pytest.mark.parametrize("word", LONG.values(), ids=LONG)
@pytest.mark.parametrize("cuttable", [True, False])
def test_a_long_text_is_one_document_too(tmp_path, word, cuttable):
    """Whatever its size: it comes in pieces of bounded size that share one number, so all are held out or none."""
    content = word * (5 * MIB // len(word.encode()))
    path = write(tmp_path / "long.txt", content)
    assert texts(path, cuttable=cuttable) == [content]
    parts = [entry.part for entry in found(path, cuttable=cuttable)]
    assert [part.last for part in parts] == [False] * (len(parts) - 1) + [True]
    short = write(tmp_path / "copy.txt", content)
    assert {part.number for part in parts} == {entry.part.number for entry in found(short, cuttable=False)}
    assert (len(parts) > 2) == cuttable
    if cuttable:
        assert max(len(entry.text.encode()) for entry in found(path)) <= 2 * MIB + 2**16


def test_a_text_that_cannot_be_cut_is_bounded(tmp_path):
    """For a tokenizer that needs whole texts, the spec's bound holds."""
    path = write(tmp_path / "a.txt", "word " * MIB)
    (entry,) = found(path, cuttable=False, max_document=2 * MIB)
    assert (entry.code, entry.message) == ("TW840", "the file is longer than data.max_document (2 MiB)")


@pytest.mark.parametrize("at", [10, 3 * MIB])
def test_a_long_text_with_a_wrong_byte_is_bad_as_a_whole(tmp_path, at):
    """No piece of it is used before all of it is known to be text."""
    content = bytearray(b"some words\n" * (MIB // 2))
    content[at] = 0xFF
    (entry,) = found(write(tmp_path / "a.txt", bytes(content)))
    assert (entry.code, entry.line) == ("TW834", 1 + content[:at].count(b"\n"))


def test_a_pattern_may_be_absolute(tmp_path):
    """Corpora lie on a cluster's file system, not beside the spec."""
    path = write(tmp_path / "a.txt", "a")
    assert files.source_files(CorpusSource(path=f"{tmp_path}/*.txt"), Path("elsewhere")).files == (path,)


def test_a_name_that_is_not_utf8_is_read_and_shown(tmp_path):
    """Its bytes are written as escapes wherever the name is."""
    path = write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl")), "{}\n")
    assert files.source_files(CorpusSource(path="*.jsonl"), tmp_path).files == (path,)
    assert bad(path)[0].path == f"{tmp_path}/\\xff.jsonl"
    assert files.content_digests([path], 1) == [hashlib.sha256(b"{}\n").hexdigest()]


def test_json_lines_give_the_named_field(tmp_path):
    """One document a line from the field that the spec names; empty lines and empty texts are nothing."""
    rows = [json.dumps({"body": "a\nb", "text": "no"}), "", json.dumps({"body": ""}), json.dumps({"body": "é"})]
    assert texts(write(tmp_path / "a.jsonl", "\n".join(rows)), field="body") == ["a\nb", "é"]


def test_a_json_file_is_lines_or_one_list(tmp_path):
    """Both are in use under this ending."""
    assert texts(write(tmp_path / "a.json", lines("a", "b"))) == ["a", "b"]
    rows = [{"text": "a"}, {"text": "b\n"}]
    assert texts(write(tmp_path / "b.json", "\n " + json.dumps(rows, indent=1))) == ["a", "b\n"]
    path = write(tmp_path / "c.json", json.dumps([{"text": "a"}, {"text": None}]))
    assert [entry.message for entry in bad(path)] == ["entry 1 of the list: the field 'text' is null instead of text"]
    assert bad(path, max_document=8)[0].code == "TW840"


def zst(content: bytes) -> bytes:
    """A .zst of two frames."""
    return zstandard.compress(content[: len(content) // 2]) + zstandard.compress(content[len(content) // 2 :])


def gz(content: bytes) -> bytes:
    """A .gz of two members."""
    return gzip.compress(content[:1000]) + gzip.compress(content[1000:])


COMPRESS = {".zst": zst, ".gz": gz, ".bz2": bz2.compress, ".xz": lzma.compress, "": bytes}


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("kind", [".txt", ".jsonl", ".json"])
def test_compressed_files_equal_plain_ones(tmp_path, kind, suffix):
    """Every compression of every format holds the same documents as the plain file."""
    content = lines(*(f"{number} " * 200 for number in range(5000)))
    plain = texts(write(tmp_path / f"a{kind}", content))
    assert texts(write(tmp_path / f"b{kind}{suffix}", COMPRESS[suffix](content.encode()))) == plain
    assert len(plain) == (1 if kind == ".txt" else 5000)


@pytest.mark.parametrize("suffix", [suffix for suffix in COMPRESS if suffix])
@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_truncated_archive_is_refused(tmp_path, suffix, kept):
    """Part of an archive is an error, not a shorter corpus, even when it ends with a line."""
    whole = COMPRESS[suffix](lines(*range(100_000)).encode())
    with pytest.raises(InputError, match=r"TW833.*cannot be read"):
        found(write(tmp_path / f"a.jsonl{suffix}", whole[: int(len(whole) * kept)]))


@pytest.mark.parametrize("suffix", [suffix for suffix in COMPRESS if suffix])
def test_a_damaged_archive_is_refused(tmp_path, suffix):
    """What is no archive at all is named, without words of Python."""
    with pytest.raises(InputError, match=r"TW833.*a\.jsonl.*cannot be read: \S"):
        found(write(tmp_path / f"a.jsonl{suffix}", b"this is no archive" * 10))


def test_an_archive_that_expands_without_end_is_refused(tmp_path):
    """A few kilobytes are not allowed to become gigabytes, and the spec can raise the bound."""
    path = write(tmp_path / "a.jsonl.zst", zstandard.compress((b" " * (MIB - 1) + b"\n") * 70))
    with pytest.raises(InputError, match=r"TW840.*expands to more than"):
        found(path)
    assert found(path, max_expansion=1e6) == []


@pytest.mark.parametrize("suffix", [suffix for suffix in COMPRESS if suffix])
def test_no_more_is_decompressed_at_once_than_memory_holds(tmp_path, suffix):
    """In every format: a kilobyte gives pieces of megabytes, and the file is refused."""
    path = write(tmp_path / f"a.txt{suffix}", COMPRESS[suffix](bytes(80 * MIB)))
    with pytest.raises(InputError, match=r"TW840.*expands to more than"):
        found(path, max_expansion=2)
    with path.open("rb") as file:
        assert max(len(piece) for piece in contents(file, suffix, 1e9)) <= 32 * MIB


@pytest.mark.parametrize("before", ["", "short\n"])
def test_a_line_without_end_is_not_kept(tmp_path, before):
    """A long line is one bad document; the lines around it are read."""
    content = before + "x" * (3 * MIB) + "\n" + lines("fine")
    entries = found(write(tmp_path / "a.jsonl", content), max_document=MIB)
    at = 1 + len(before.splitlines())
    assert [(entry.code, entry.line) for entry in entries[:-1]][-1] == ("TW840", at)
    assert entries[-1].text == "fine"
    assert bad(write(tmp_path / "b.jsonl", lines("x" * 100)), max_document=50)[0].code == "TW840"


def test_the_standard_library_is_found_without_tests_and_packages():
    """python:stdlib is this Python's own sources, sorted, real, and free of site-packages and test suites."""
    chosen = files.source_files(CorpusSource(path="python:stdlib"), Path("/")).files
    assert list(chosen) == sorted(chosen)
    assert {"argparse.py", "typing.py"} <= {path.name for path in chosen}
    assert not any({"site-packages", "test", "tests"} & set(path.parts[-4:]) for path in chosen)


WRONG = {
    "text": ("a.txt", b"fine\nstill\n\xff\xfe", "TW834", 3, "byte 0xff is not UTF-8"),
    "utf-16": ("a.txt", "fine".encode("utf-16"), "TW834", 1, "the file is UTF-16, not UTF-8"),
    "json bytes": ("a.jsonl", b'{"text": "a"}\n{"text": "\xc3"}', "TW834", 2, "byte 0xc3 is not UTF-8"),
    "half a line": (
        "a.jsonl",
        b'{"text": "a"}\n\n{"text": ',
        "TW835",
        3,
        "not a JSON object: expecting value at column 10",
    ),
    "byte order mark": ("a.jsonl", b'\xef\xbb\xbf{"text": "a"}', "TW835", 1, "byte order mark"),
    "no field": ("a.jsonl", b'{"body": "a"}', "TW836", 1, "no field 'text'; it has 'body'"),
    "null": ("a.jsonl", b'{"text": null}', "TW836", 1, "the field 'text' is null instead of text"),
    "a number": ("a.jsonl", b'{"text": 3}', "TW836", 1, "the field 'text' is a number instead of text"),
    "a list": ("a.jsonl", b"[1]", "TW836", 1, "a list instead of an object with the field 'text'"),
    "surrogate": ("a.jsonl", b'{"text": "\\ud83d"}', "TW834", 1, "half a surrogate pair"),
    "nesting": ("a.jsonl", b"[" * 100_000, "TW835", 1, "nested too deeply"),
    "digits": ("a.jsonl", b'{"text": ' + b"1" * 10_000 + b"}", "TW835", 1, "a number is too long"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_wrong_content_has_its_file_line_and_reason(tmp_path, case):
    """Nothing is guessed: each wrong document is named in plain words, with a remedy."""
    name, content, code, line, says = case
    path = write(tmp_path / name, content)
    (entry,) = bad(path)
    assert (entry.code, entry.path, entry.line) == (code, str(path), line)
    assert says in entry.message
    assert entry.problem.remedy


def test_line_numbers_hold_beyond_the_first_block(tmp_path):
    """Faults deep inside a large file still have their true line numbers."""
    good = (json.dumps({"text": "x" * 1000}) + "\n").encode()
    entries = bad(write(tmp_path / "a.jsonl", good * 3000 + b"{}\n" + good * 3000 + b"{}\n"))
    assert [entry.line for entry in entries] == [3001, 6002]


@pytest.mark.parametrize(
    ("path", "code"), [("none/*.txt", "TW831"), ("*.csv", "TW832"), ("/none/*.txt", "TW831"), (".", "TW831")]
)
def test_a_pattern_without_readable_files_is_refused(tmp_path, path, code):
    """No match, an unknown format, a pattern that is none: each has its code."""
    write(tmp_path / "a.csv", "a,b")
    with pytest.raises(InputError, match=code):
        files.source_files(CorpusSource(path=path), tmp_path)


def test_a_pattern_that_matches_only_what_is_left_out_says_so(tmp_path):
    """Hidden files are there, and the remedy is the one for them."""
    write(tmp_path / ".a.txt", "a")
    with pytest.raises(InputError, match="only 1 x hidden") as refused:
        files.source_files(CorpusSource(path="*.txt"), tmp_path)
    assert refused.value.problems[0].remedy == "Write the dot of a hidden name, like corpus/.*.txt."


def test_content_decides_and_nothing_else(tmp_path):
    """A file touched, copied or renamed is the same; one byte changed under the same name, size and time is not."""
    first = write(tmp_path / "a.txt", "one")
    before, time = files.content_digests([first], 2), first.stat().st_mtime_ns
    os.utime(first, (0, 0))
    assert files.content_digests([first], 2) == before
    assert files.content_digests([write(tmp_path / "b.txt", "one")], 2) == before
    write(first, "two")
    os.utime(first, ns=(time, time))
    assert files.content_digests([first], 2) != before

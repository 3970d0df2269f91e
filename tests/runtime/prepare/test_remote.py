"""Corpora in a store: fsspec's own stores and an S3 server give the documents, shards and errors that a disk gives."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from trainwright.runtime.data.shards import read_index
from trainwright.runtime.prepare.files import changed, source_files, stamps
from trainwright.runtime.prepare.job import Job
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError
from trainwright.spec.remote_files import find_remote
from trainwright.spec.sections import CorpusSource, TokenIds


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder of fsspec's memory store."""
    store = fsspec.filesystem("memory")
    store.mkdir("/bucket")
    yield "memory://bucket"
    store.rm("/bucket", recursive=True)


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket of a moto server on loopback."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    store = fsspec.filesystem("s3")
    store.mkdir("bucket")
    yield "s3://bucket"
    fsspec.filesystem("s3").clear_instance_cache()
    server.stop()


@pytest.fixture(params=["memory", "file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty folder in each store."""
    return f"file://{tmp_path}" if request.param == "file" else request.getfixturevalue(request.param)


def put(url: str, content: bytes) -> None:
    """A file in a store."""
    with fsspec.open(url, "wb") as file:
        file.write(content)


def upload(project: Path, place: str) -> None:
    """The project's corpus, each file in another format."""
    first, second, third = sorted((project / "corpus").glob("*.jsonl"))
    texts = [json.loads(line)["text"] for line in third.read_text().splitlines()]
    parquet.write_table(pa.table({"text": texts}), project / "c.parquet", row_group_size=20)
    put(f"{place}/a/part-0.jsonl", first.read_bytes())
    put(f"{place}/a/part-1.jsonl.gz", gzip.compress(second.read_bytes()))
    put(f"{place}/a/part-2.parquet", (project / "c.parquet").read_bytes())


def prepared(job: Job) -> list[str]:
    """Tokenizer and shards, and what was done for each."""
    return [make_tokenizer(job, lambda _: None), make_shards(job, lambda _: None)]


def test_a_store_gives_the_shards_that_the_disk_gives(make_job, project: Path, place: str) -> None:
    """Plain, compressed and in tables; the next start knows them again."""
    upload(project, place)
    here, there = make_job("here"), make_job("there", train=(CorpusSource(path=f"{place}/a/*"),))
    prepared(here)
    assert prepared(there) == ["trained", "written"]
    assert prepared(there) == ["unchanged", "verified"]
    first, second = read_index(here.run.data), read_index(there.run.data)
    assert [part.shards for part in first.train] == [part.shards for part in second.train]
    assert first.validation[0].shards == second.validation[0].shards


def test_other_content_under_the_same_name_makes_other_shards(make_job, project: Path, place: str) -> None:
    """By what the store says of it, or by its bytes; also while it is read."""
    upload(project, place)
    job, again = (make_job(train=(CorpusSource(path=f"{place}/a/*.jsonl"),)) for _ in range(2))
    before = stamps(job.sources[0].files)
    first = job.fingerprint
    put(f"{place}/a/part-0.jsonl", b'{"text": "other words"}\n')
    assert [name.rpartition("/")[2] for name in changed(before)] == ["part-0.jsonl"]
    assert again.fingerprint != first


def test_token_files_are_read_from_a_store(place: str, tmp_path: Path) -> None:
    """With their headers."""
    np.save(tmp_path / "a.npy", np.arange(3, 50, dtype="uint16"))
    put(f"{place}/t/a.npy", (tmp_path / "a.npy").read_bytes())
    ids = TokenIds(vocab_size=320, end_of_document=2)
    (found,) = source_files(CorpusSource(path=f"{place}/t/*", token_ids=ids), tmp_path).files
    from trainwright.runtime.prepare.token_blocks import token_blocks

    ((block, size),) = token_blocks(found, ids)
    assert block.ids.tolist() == list(range(3, 50))
    assert size == found.stat().st_size


def test_a_pattern_that_matches_nothing_is_refused(place: str, tmp_path: Path) -> None:
    """As on a disk."""
    with pytest.raises(InputError, match=r"TW831 .*matches no file"):
        source_files(CorpusSource(path=f"{place}/none/*.jsonl"), tmp_path)
    put(f"{place}/a/notes.docx", b"words")
    with pytest.raises(InputError, match=r"TW832 .*notes.docx: unknown format"):
        source_files(CorpusSource(path=f"{place}/a/*"), tmp_path)


def test_a_store_that_refuses_is_reported_in_one_line(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket that is not there, or a server that does not answer: no traceback."""
    with pytest.raises(InputError, match=r"TW831|TW833"):
        source_files(CorpusSource(path="s3://nobody/*.jsonl"), Path())
    put(f"{s3}/a.jsonl", b"{}")
    (found,) = find_remote(f"{s3}/a.jsonl")
    fsspec.filesystem("s3").rm(f"{s3}/a.jsonl")
    with pytest.raises(OSError, match=r"a\.jsonl"):
        found.stat()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("ftp://host/*.txt", "unknown store ftp://"), ("simplecache::s3://b/*.txt", "unknown store simplecache::s3://")],
)
def test_another_store_is_refused(pattern: str, message: str) -> None:
    """Only the ones that are listed, and no chains."""
    with pytest.raises(InputError, match=message):
        find_remote(pattern)

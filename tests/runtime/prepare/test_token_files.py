"""Files of token ids: Megatron's, .npy and flat ones give the same documents, and training reads them like text."""

from __future__ import annotations

import struct
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest

from trainwright.runtime.data.dataset import open_dataset
from trainwright.runtime.data.shards import read_index
from trainwright.runtime.prepare import token_blocks as reading
from trainwright.runtime.prepare.job import Job
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.token_blocks import token_blocks, token_documents
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError
from trainwright.spec.run_folder import RunFolder
from trainwright.spec.sections import CorpusSource, TokenIds

END = 2
IDS = TokenIds(vocab_size=320, end_of_document=END)
FLAT = IDS.model_copy(update={"dtype": "uint16"})


def some_documents(count: int = 60, seed: int = 0) -> list[list[int]]:
    """Documents of different lengths, none of which holds the end of a document."""
    generator = np.random.default_rng(seed)
    return [generator.integers(3, 320, generator.integers(1, 40)).tolist() for _ in range(count)]


def write_megatron(path: Path, documents: list[list[int]], *, code: int = 8, per_document: int = 1) -> Path:
    """A .bin with its .idx, by `_IndexWriter` of megatron/core/datasets/indexed_dataset.py."""
    dtype = np.dtype({8: "<u2", 4: "<i4", 5: "<i8"}[code])
    sequences = [part.tolist() for document in documents for part in np.array_split(document, per_document)]
    path.write_bytes(np.concatenate(documents).astype(dtype).tobytes())
    lengths = [len(sequence) for sequence in sequences]
    offsets = [0, *accumulate(length * dtype.itemsize for length in lengths)][:-1]
    borders = range(0, len(sequences) + 1, per_document)
    head = struct.pack("<9sQBQQ", b"MMIDIDX\x00\x00", 1, code, len(sequences), len(borders))
    tables = (
        np.array(lengths, "<i4").tobytes() + np.array(offsets, "<i8").tobytes() + np.array(borders, "<i8").tobytes()
    )
    path.with_suffix(".idx").write_bytes(head + tables)
    return path


def written(path: Path, kind: str, documents: list[list[int]]) -> Path:
    """The documents in a file of one of the kinds."""
    ended = [[*document, END] for document in documents]
    if kind.startswith("megatron"):
        _, code, ending, per_document = kind.split("-")
        return write_megatron(
            path.with_suffix(".bin"),
            ended if ending == "ended" else documents,
            code=int(code),
            per_document=int(per_document),
        )
    flat = np.concatenate(ended)[: None if kind.endswith("ended") else -1]
    if kind.startswith("npy"):
        np.save(path.with_suffix(".npy"), flat.astype(kind.split("-")[1]))
        return path.with_suffix(".npy")
    path.with_suffix(".bin").write_bytes(flat.astype("<u2").tobytes())
    return path.with_suffix(".bin")


def read(path: Path, meaning: TokenIds = IDS) -> list[tuple[list[int], int]]:
    """Each document of a file, its pieces put together, with its number."""
    found: list[tuple[list[int], int]] = []
    for block, _ in token_blocks(path, meaning):
        for document in token_documents(block):
            before = [] if document.part.first else found.pop()[0]
            found.append((before + document.ids.tolist(), document.part.number))
    return found


KINDS = (
    "flat-ended",
    "flat-open",
    "npy-uint16-ended",
    "npy-uint32-open",
    "npy-int64-ended",
    "megatron-8-ended-1",
    "megatron-8-open-1",
    "megatron-4-open-3",
    "megatron-5-ended-2",
)


@pytest.mark.parametrize("window", [2**19, 50, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_documents(
    tmp_path: Path, kind: str, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever type, index and block size: the ids as they are, an end after each, and one number for one document."""
    monkeypatch.setattr(reading, "_WINDOW", window)
    documents = some_documents()
    found = read(written(tmp_path / "a", kind, documents), FLAT if kind.startswith("flat") else IDS)
    assert [ids for ids, _ in found] == [[*document, END] for document in documents]
    monkeypatch.undo()
    (tmp_path / "b").mkdir()
    assert found == read(written(tmp_path / "b/a", "npy-uint32-ended", documents))


@pytest.mark.parametrize("window", [2**19, 16])
def test_an_id_beyond_the_vocabulary_is_refused_with_its_place(
    tmp_path: Path, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number in the file and its byte; a negative one too."""
    monkeypatch.setattr(reading, "_WINDOW", window)
    for value, dtype in ((320, "uint16"), (-1, "int32")):
        ids = np.full(1000, 5, dtype)
        ids[700] = value
        np.save(tmp_path / "a.npy", ids)
        byte = 128 + 700 * ids.itemsize
        with pytest.raises(
            InputError, match=rf"a.npy: id {value} \(number 700 of the file, byte {byte:,}\)"
        ) as refused:
            read(tmp_path / "a.npy")
        assert refused.value.problems[0].code == "TW858"


def damaged(path: Path) -> dict[str, bytes]:
    """A sound Megatron pair in `path`, and what of its index may be wrong."""
    write_megatron(path, some_documents())
    sound = path.with_suffix(".idx").read_bytes()
    sequences = struct.unpack_from("<Q", sound, 18)[0]
    holes = bytearray(sound)
    struct.pack_into("<i", holes, 34, 30_000)
    far = bytearray(sound)
    struct.pack_into("<q", far, 34 + 12 * sequences + 8, 10**9)
    return {
        "not an index": b"x" * len(sound),
        "type 6 is": sound[:17] + b"\x06" + sound[18:],
        "too early": sound[:-1],
        "do not lie": bytes(holes),
        "one after another": bytes(far),
        "version 2": sound[:9] + struct.pack("<Q", 2) + sound[17:],
    }


@pytest.mark.parametrize("fault", range(6))
def test_a_damaged_index_is_refused(tmp_path: Path, fault: int) -> None:
    """Another magic, version or type, a file that is cut off, sequences with holes, documents beyond the last one."""
    message, content = list(damaged(tmp_path / "a.bin").items())[fault]
    (tmp_path / "a.idx").write_bytes(content)
    with pytest.raises(InputError, match=f"a.idx cannot be read: .*{message.replace('type 6 is', 'type 6')}"):
        read(tmp_path / "a.bin")


@pytest.mark.parametrize("kind", ["megatron-8-ended-1", "npy-uint16-ended", "flat-ended"])
def test_a_file_that_was_not_copied_completely_is_refused(tmp_path: Path, kind: str) -> None:
    """By its size, before any id is read; of a flat file only half an id can be seen."""
    path = written(tmp_path / "a", kind, some_documents())
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"cannot be read: .* bytes"):
        read(path, FLAT)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{'a'", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_npy_is_refused(tmp_path: Path, content: bytes) -> None:
    """Whatever its bytes, as one line; so are arrays of pairs, of floats and of objects, which are never unpickled."""
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    with pytest.raises(InputError, match="TW833"):
        read(path)
    for array in (np.zeros((2, 2), "uint16"), np.zeros(4), np.array([{}], object), np.zeros(4, ">u2")):
        np.save(path, array, allow_pickle=True)
        with pytest.raises(InputError, match="not one dimension of"):
            read(path)


@pytest.fixture
def given(make_job, project: Path) -> str:
    """A tokenizer that was trained on the corpus, as one that the spec names."""
    job = make_job("given")
    make_tokenizer(job, lambda _: None)
    (project / "given.model").write_bytes(job.run.tokenizer.read_bytes())
    return "given.model"


def prepared(job: Job) -> list[str]:
    """Tokenizer and shards, and what was done for each."""
    return [make_tokenizer(job, lambda _: None), make_shards(job, lambda _: None)]


def job_of(make_job, path: str, given: str, meaning: TokenIds, *, name: str = "run", **options: object) -> Job:
    """A job over text and token files, half and half."""
    sources = (CorpusSource(path="corpus/*.jsonl", weight=1), CorpusSource(path=path, token_ids=meaning, weight=1))
    job = make_job(name, train=sources, **options)
    tokenizer = job.plan.tokenizer.model_copy(update={"path": given})
    return Job(job.plan.model_copy(update={"tokenizer": tokenizer}), RunFolder(job.run.path), job.root, job.workers)


def test_tokens_are_trained_on_beside_text(make_job, project: Path, given: str) -> None:
    """Held out by document, mixed by weight, verified on the next start, and the same for any number of workers."""
    documents = some_documents(300)
    (project / "tokens").mkdir()
    for part in range(3):
        written(project / f"tokens/{part}", "megatron-8-open-1", documents[part::3])
    job = job_of(make_job, "tokens/*", given, IDS)
    assert prepared(job) == ["copied", "written"]
    assert prepared(job) == ["unchanged", "verified"]
    index = read_index(job.run.data)
    parts = [index.train[1], index.validation[1]]
    assert sum(part.documents for part in parts) == 300
    ids = [np.fromfile(job.run.data / s.file, "<u2") for part in parts for s in part.shards]
    ends = [document.tolist() for side in ids for document in np.split(side, np.flatnonzero(side == END) + 1)[:-1]]
    assert sorted(ends) == sorted([*document, END] for document in documents)
    again = job_of(make_job, "tokens/*", given, IDS, name="again", workers=3)
    prepared(again)
    assert read_index(again.run.data) == index
    data = open_dataset(job.plan, job.run, "train")
    sources, _ = data.order(np.arange(4096, dtype=np.uint64))
    assert (sources == 1).mean() == pytest.approx(0.5, abs=0.01)
    assert data.samples(np.arange(4, dtype=np.uint64)).tokens.shape == (4, job.plan.training.sequence_length)


def test_another_index_or_meaning_makes_other_shards(make_job, project: Path, given: str) -> None:
    """The borders of an .idx decide what is held out, so it belongs to the corpus as the .bin does."""
    write_megatron(project / "a.bin", some_documents(300))
    job = job_of(make_job, "a.bin", given, IDS)
    first = job.fingerprint
    write_megatron(project / "a.bin", [[*a, *b] for a, b in zip(*[iter(some_documents(300))] * 2, strict=True)])
    second = job_of(make_job, "a.bin", given, IDS).fingerprint
    third = job_of(make_job, "a.bin", given, IDS.model_copy(update={"end_of_document": 1})).fingerprint
    assert len({first, second, third}) == 3


def test_an_end_that_is_not_the_tokenizers_is_refused(make_job, project: Path, given: str) -> None:
    """The tokenizer is asked: documents would otherwise end in a token that no run knows as an end."""
    write_megatron(project / "a.bin", some_documents(300))
    with pytest.raises(InputError, match=r"TW858 .*end_of_document is 1, and the tokenizer's end of a document is 2"):
        prepared(job_of(make_job, "a.bin", given, IDS.model_copy(update={"end_of_document": 1})))

"""Units of work: the same dataset to the byte whoever makes them, and only those that are missing are made."""

import gzip
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from trainwright.runtime.data.shards import read_index
from trainwright.runtime.prepare import make_units as making
from trainwright.runtime.prepare import units
from trainwright.runtime.prepare.documents import BadDocument, Document, documents
from trainwright.runtime.prepare.line_ranges import LineNumbers
from trainwright.runtime.prepare.share import Share
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.runtime.prepare.unit_files import UNITS
from trainwright.runtime.prepare.workers import STAGES
from trainwright.spec.sections import CorpusSource


def prepare(job) -> list[str]:
    """Do the stages of the job's step; what was done, in words."""
    job.run.path.mkdir(exist_ok=True)
    return [make(job, lambda _: None) for _, make in STAGES[job.share.step]]


def content(folder: Path) -> dict[str, bytes]:
    """The files of a dataset."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def small_units(monkeypatch):
    """Each file of the corpus is a unit: two of them do not go into one."""
    monkeypatch.setattr(units, "UNIT_BYTES", 20_000)


@pytest.mark.parametrize("deduplicate", [False, True])
def test_workers_make_what_one_process_makes(make_job, project, deduplicate):
    """Two workers and the job that closes: every byte as of one process, duplicates over units included."""
    shutil.copy(project / "corpus" / "part-0.jsonl", project / "corpus" / "z-again.jsonl")
    alone = make_job("alone", store="one", deduplicate=deduplicate)
    prepare(alone)
    job = make_job("together", store="two", deduplicate=deduplicate)
    steps = [Share("start"), Share("units", 1, 2), Share("units", 0, 2), Share("close", 0, 2)]
    said = [prepare(replace(job, share=share)) for share in steps]
    assert said[1:3] == [["2 of 4 units are done"]] * 2
    assert said[3] == ["unchanged", "written"]
    assert content(job.run.data) == content(alone.run.data)
    assert read_index(job.run.data).sources[0].duplicates == (67 if deduplicate else 0)


def test_a_killed_preparation_makes_only_what_is_missing(make_job, monkeypatch):
    """After a failure in the third unit the next start makes that one alone; nothing was visible meanwhile."""
    whole, job = make_job("whole", store="one"), make_job("run", store="two")
    prepare(whole)
    made: list[int] = []
    real = making.commit

    def failing(folder, unit, *rest) -> None:
        if unit.number == 2 and not made.count(2):
            made.append(2)
            raise OSError("the power failed")
        made.append(unit.number)
        real(folder, unit, *rest)

    monkeypatch.setattr(making, "commit", failing)
    with pytest.raises(OSError, match="the power failed"):
        prepare(job)
    assert (job.store.digests, job.run.data.is_symlink()) == ([], False)
    assert sorted(path.stem for path in (job.store.draft(job.digest) / UNITS).iterdir()) == ["00000", "00001"]
    (job.store.draft(job.digest) / ".00002-torn").mkdir()  # as kill -9 leaves it
    prepare(make_job("run", store="two"))
    assert made == [0, 1, 2, 2]
    assert content(job.run.data) == content(whole.run.data)
    assert job.store.drafts == []


def test_a_second_run_prepares_nothing(make_job, project, monkeypatch):
    """The same text under another path, mixed otherwise: tokenizer and shards are found."""
    prepare(make_job("first"))
    (project / "corpus").rename(project / "moved")
    second = make_job("second", train=(CorpusSource(path="moved/*.jsonl", weight=2),))
    monkeypatch.setattr(making, "commit", None)
    assert prepare(second) == [f"found in {second.store.path}"] * 2
    assert second.run.data.resolve() == make_job("first").run.data.resolve()
    assert len(second.store.users(second.digest)) == 2


def test_row_groups_of_a_large_table_are_units(make_job, project, monkeypatch):
    """Each row group has its own rows, and all of them together are the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    monkeypatch.setattr(units, "UNIT_BYTES", 1)
    texts = [f"row {number} of a table" for number in range(100)]
    pq.write_table(pa.table({"text": texts}), project / "corpus" / "a.parquet", row_group_size=30)
    job = make_job(train=(CorpusSource(path="corpus/*.parquet"),))
    found = [block.texts for unit in units.units(job) for block, _ in units.unit_blocks(job, unit, cuttable=True)]
    assert [len(block) for block in found] == [30, 30, 30, 10]
    assert [text for block in found for text in block] == texts


LINES = (
    b'{"text": "first"}\n\n{"text": "a longer second line"}\r\n  \n{"text": "' + b"long " * 40 + b'"}\n{"text": "end"}'
)


@pytest.mark.parametrize("ending", [b"", b"\n", b"\n\n"])
def test_lines_of_a_large_file_are_units(make_job, project, monkeypatch, ending):
    """However it is cut, also inside lines and at their ends: each line is read once, in order, with its number."""
    path = project / "corpus" / "big.jsonl"
    path.write_bytes(LINES + ending + b"[]\n" * (ending != b""))
    job = make_job(train=(CorpusSource(path="corpus/big.jsonl"),))
    size = path.stat().st_size
    whole = [entry for block, _ in job.text_blocks(0) for entry in documents(block)]
    for unit_bytes in (1, 2, 7, 18, 19, 60, size - 1, size):
        monkeypatch.setattr(units, "UNIT_BYTES", unit_bytes)
        cut, numbers, found = units.units(job), LineNumbers(), []
        for unit in cut:
            read = [entry for block, _ in units.unit_blocks(job, unit, cuttable=True) for entry in documents(block)]
            found += [entry for entry in read if isinstance(entry, Document)]
            found += numbers.corrected(unit.line_parts, (entry for entry in read if isinstance(entry, BadDocument)))
        assert found == whole
        assert (len(cut), sum(unit.bytes for unit in cut)) == (-(-size // unit_bytes), size)


def test_a_large_file_gives_the_same_shards_whoever_makes_them(make_job, project, monkeypatch):
    """Three workers, each every third part of the one file: every byte as of one process."""
    lines = [path.read_text() for path in sorted((project / "corpus").iterdir())]
    (project / "corpus" / "all.jsonl").write_text("".join(lines))
    monkeypatch.setattr(units, "UNIT_BYTES", 5000)
    source = {"train": (CorpusSource(path="corpus/all.jsonl"),)}
    alone, job = make_job("alone", store="one", **source), make_job("together", store="two", **source)
    prepare(alone)
    steps = [Share("start"), *(Share("units", index, 3) for index in (2, 0, 1)), Share("close", 0, 3)]
    said = [prepare(replace(job, share=share)) for share in steps]
    assert said[1] == ["2 of 8 units are done"]
    assert content(job.run.data) == content(alone.run.data)


@pytest.mark.parametrize("name", ["big.jsonl.gz", "big.txt", "big.json"])
def test_what_cannot_be_cut_is_one_unit(make_job, project, monkeypatch, name):
    """Compressed lines, a text (one document) and a list."""
    text = b"[" + b" " * 100
    (project / "corpus" / name).write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    monkeypatch.setattr(units, "UNIT_BYTES", 10)
    job = make_job(train=(CorpusSource(path=f"corpus/{name}"),))
    assert [piece.part for unit in units.units(job) for piece in unit.pieces] == [None]


def test_small_files_travel_together(make_job, monkeypatch):
    """A unit takes files until it is full."""
    monkeypatch.setattr(units, "UNIT_BYTES", 2**20)
    (unit,) = units.units(make_job())
    assert len(unit.pieces) == 3


def test_a_corpus_that_changed_after_the_start_is_read_again(make_job, project):
    """The digest that the first step left counts only for files of the same size and time."""
    job = make_job()
    prepare(replace(job, share=Share("start")))
    assert replace(job, share=Share("units")).fingerprint == job.fingerprint
    with (project / "corpus" / "part-0.jsonl").open("a") as file:
        file.write(json.dumps({"text": "more"}) + "\n")
    assert replace(make_job(), share=Share("units")).fingerprint != job.fingerprint


def test_lengths_of_documents_are_counted(make_job):
    """By powers of two; all documents of both splits are in it."""
    job = make_job()
    prepare(job)
    index = read_index(job.run.data)
    for part in (*index.train, *index.validation):
        assert sum(part.lengths) == part.documents
        assert sum(count * 2**power for power, count in enumerate(part.lengths)) <= part.tokens


def test_a_tokenizer_of_other_settings_is_not_taken(make_job):
    """Only the same recipe is the same tokenizer."""
    prepare(make_job("first"))
    assert make_tokenizer_words(make_job("second", vocabulary=300)) == "trained"


def make_tokenizer_words(job) -> str:
    """What was done for the tokenizer."""
    job.run.path.mkdir(exist_ok=True)
    return make_tokenizer(job, lambda _: None)

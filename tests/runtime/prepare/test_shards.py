"""Shards: lossless, disjoint from what is held out, the same for any number of workers, guarded by hashes."""

import errno
import json
import os
import random
import shutil

import numpy as np
import pytest

from trainwright.runtime.checkpoint import store
from trainwright.runtime.data import shards
from trainwright.runtime.data.digests import data_digests
from trainwright.runtime.data.shards import read_index
from trainwright.runtime.data.tokenizer import Tokenizer
from trainwright.runtime.prepare.documents import documents as block_documents
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError
from trainwright.spec.run_folder import CHECKPOINT_STATE
from trainwright.spec.sections import CorpusSource


def made(job) -> list[str]:
    """Tokenizer and shards, and what was done for each."""
    return [make_tokenizer(job, lambda _: None), make_shards(job, lambda _: None)]


def documents(job, split: str) -> list[str]:
    """The documents of a split, decoded from its shards."""
    tokenizer, index = Tokenizer(job.run.tokenizer), read_index(job.run.data)
    ids = np.concatenate(
        [np.fromfile(job.run.data / s.file, dtype="<u2") for part in index.parts(split) for s in part.shards]
    )
    assert ids[-1] == index.end_of_document
    pieces = np.split(ids, np.flatnonzero(ids == index.end_of_document) + 1)[:-1]
    assert all(piece[0] == index.begin_of_document for piece in pieces)
    return [tokenizer.decode(piece) for piece in pieces]


def source_texts(job) -> list[str]:
    """The documents of the corpus, read by the corpus module alone."""
    return [document.text for block, _ in job.text_blocks(0) for document in block_documents(block)]


def test_shards_hold_the_corpus_without_loss_or_overlap(make_job):
    """Both splits together are exactly the documents of the corpus; no document is in both."""
    job = make_job()
    made(job)
    train, held_out = documents(job, "train"), documents(job, "validation")
    assert sorted(train + held_out) == sorted(source_texts(job))
    assert not set(train) & set(held_out)
    assert 0.1 < len(held_out) / (len(held_out) + len(train)) < 0.3


def test_copies_of_a_document_are_on_one_side(make_job, project):
    """A document that occurs twice, in different files, is held out twice or not at all."""
    shutil.copy(project / "corpus" / "part-0.jsonl", project / "corpus" / "again.jsonl")
    job = make_job()
    made(job)
    assert not set(documents(job, "train")) & set(documents(job, "validation"))


def test_the_number_of_workers_changes_nothing(make_job):
    """One worker or three: the same bytes and the same index."""
    one, three = make_job("one", workers=1, store="one"), make_job("three", workers=3, store="three")
    for job in (one, three):
        made(job)
    files = sorted(path.name for path in one.run.data.iterdir())
    assert files == sorted(path.name for path in three.run.data.iterdir())
    assert all((one.run.data / name).read_bytes() == (three.run.data / name).read_bytes() for name in files)


def test_a_second_time_only_verifies(make_job):
    """What is there and fits is kept as it is."""
    job = make_job()
    assert made(job) == ["trained", "written"]
    before = {path: path.stat().st_mtime_ns for path in job.run.data.iterdir()}
    assert made(make_job()) == ["unchanged", "verified"]
    assert before == {path: path.stat().st_mtime_ns for path in job.run.data.iterdir()}


def test_every_damaged_byte_is_found_and_mended(make_job):
    """A flipped bit anywhere in a shard is found by its hash, said, and the shards are made again."""
    job = make_job()
    made(job)
    path = next(job.run.data.glob("train-*.bin"))
    good, draw = path.read_bytes(), random.Random(1)  # noqa: S311 - seeded faults
    shard = read_index(job.run.data).train[0].shards[0]
    for _ in range(100):
        damaged = bytearray(good)
        damaged[draw.randrange(len(good))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert str(path) in shards.shard_damage(job.run.data, shard)
    assert made(job)[1].startswith("written again, since ")
    assert path.read_bytes() == good


def test_a_changed_corpus_is_tokenized_again(make_job, project):
    """A new file changes the shards of a run that has not trained yet."""
    job = make_job()
    made(job)
    (project / "corpus" / "new.jsonl").write_text(json.dumps({"text": "brand new"}) + "\n")
    job = make_job()
    assert made(job) == ["trained", "written"]
    assert "brand new" in documents(job, "train") + documents(job, "validation")


def begin(job) -> None:
    """Give the run a checkpoint that rests on its tokenizer and shards."""
    state = {"state": {"step": 2, "samples": 8}, "settings": {}, "digests": data_digests(job.run)}
    folder = store.create_draft(job.run.checkpoints, 2)
    (folder / CHECKPOINT_STATE).write_text(json.dumps(state))
    store.publish(folder, 2, {CHECKPOINT_STATE: store.hash_file(folder / CHECKPOINT_STATE)})


@pytest.mark.parametrize("what", ["touched", "grown", "deleted"])
def test_a_run_that_has_begun_needs_its_shards_only(make_job, project, what):
    """Whatever becomes of the corpus, whole shards are the run's data; nothing is made again."""
    job = make_job()
    made(job)
    begin(job)
    if what == "deleted":
        shutil.rmtree(project / "corpus")
    elif what == "touched":
        for path in (project / "corpus").iterdir():
            os.utime(path, (0, 0))
    else:
        (project / "corpus" / "new.jsonl").write_text(json.dumps({"text": "brand new"}) + "\n")
    before = {path: path.read_bytes() for path in job.run.path.rglob("*") if path.is_file()}
    assert made(make_job()) == ["unchanged", "verified"]
    assert {path: path.read_bytes() for path in job.run.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("lost", ["data", "tokenizer"])
def test_what_is_made_again_for_a_run_that_has_begun_is_the_same(make_job, project, lost):
    """Lost shards or a lost tokenizer come back from the same corpus; from another one they are refused."""
    job = make_job()
    made(job)
    begin(job)
    digests, corpus = data_digests(job.run), project / "corpus" / "new.jsonl"
    shutil.rmtree((job.run.path / lost).resolve())
    corpus.write_text("".join(json.dumps({"text": f"BRAND NEW {n} TEXT"}) + "\n" for n in range(500)))
    with pytest.raises(InputError, match="would not be the one"):
        made(make_job())
    assert not any(path.is_file() for path in (job.run.path / lost).rglob("*"))
    corpus.unlink()
    made(make_job())
    assert data_digests(job.run) == digests


@pytest.mark.parametrize("call", range(4))
def test_a_full_disk_leaves_what_was_there(make_job, project, monkeypatch, call):
    """Whichever write or sync fails, the error comes out, nothing half-made stays, and the old shards still verify."""
    job = make_job()
    made(job)
    (project / "corpus" / "new.jsonl").write_text(json.dumps({"text": "brand new"}) + "\n")
    before = {path.name: path.read_bytes() for path in job.run.data.iterdir()}
    calls = iter(range(1000))
    real = shards.os.fsync

    def failing(handle: int) -> None:
        if next(calls) >= call:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr("os.fsync", failing)
    with pytest.raises(OSError, match="No space"):
        make_shards(make_job(), lambda _: None)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in job.run.data.iterdir()} == before
    assert not job.run.data.with_name("data.new").exists()


def test_wrong_lines_reach_the_user_through_the_workers(make_job, project):
    """A worker's refusal arrives whole, with file and line, and no shards appear."""
    (project / "corpus" / "zz.jsonl").write_text('{"text": "fine"}\n{"txet": "typo"}\n')
    job = make_job(workers=2)
    with pytest.raises(InputError) as refused:
        made(job)
    (problem,) = refused.value.problems
    assert (problem.code, problem.place.line) == ("TW836", 2)
    assert problem.place.file.endswith("zz.jsonl")
    assert not job.run.data.exists()


def test_all_wrong_lines_are_reported_at_once(make_job, project):
    """Three faults in two files are three problems, not three launches."""
    (project / "corpus" / "x.jsonl").write_text('{"text": null}\n{"text": "fine"}\nno\n')
    (project / "corpus" / "y.jsonl").write_text('{"txet": "typo"}\n')
    with pytest.raises(InputError) as refused:
        made(make_job(workers=2))
    places = [(p.code, p.place.file[-7:], p.place.line) for p in refused.value.problems]
    assert places == [("TW836", "x.jsonl", 1), ("TW835", "x.jsonl", 3), ("TW836", "y.jsonl", 1)]


def test_bad_documents_can_be_skipped_and_are_counted(make_job, project):
    """The others are trained on, and the index says how many were left out, why and where."""
    without = make_job("without")
    made(without)
    (project / "corpus" / "x.jsonl").write_text('{"text": null}\nno\n{"text": 3}\n')
    job = make_job("with", on_bad_document="skip")
    made(job)
    assert sorted(documents(job, "train")) == sorted(documents(without, "train"))
    skipped = {entry.code: (entry.documents, entry.examples) for entry in read_index(job.run.data).sources[0].skipped}
    path = project / "corpus" / "x.jsonl"
    assert skipped["TW836"][0] == 2
    assert skipped["TW835"] == (1, (f"{path}:2: not a JSON object: expecting value at column 1",))


def test_a_long_text_has_one_begin_and_one_end_and_is_on_one_side(make_job, project):
    """A book longer than a piece is one document, with the ids of the whole text, and trained on or held out whole."""
    text = "".join(f"{number} a line of  a long book\n" for number in range(150_000))
    (project / "corpus" / "book.txt").write_text(text)
    job = make_job(train=(CorpusSource(path="corpus/*"),), workers=2)
    made(job)
    (split,) = [split for split in ("train", "validation") if text in documents(job, split)]
    ids = np.concatenate(
        [np.fromfile(job.run.data / s.file, "<u2") for s in read_index(job.run.data).parts(split)[0].shards]
    )
    whole = Tokenizer(job.run.tokenizer).encode(text)
    begins = np.flatnonzero(ids == read_index(job.run.data).begin_of_document)
    assert any(np.array_equal(ids[start + 1 : start + 1 + len(whole)], whole) for start in begins)


@pytest.mark.parametrize("change", ["truncate", "append", "delete"])
def test_a_file_that_changes_while_it_is_read_is_an_error(make_job, project, change):
    """Half of one version and half of another would be neither."""
    path = project / "corpus" / "part-1.jsonl"
    job = make_job()
    make_tokenizer(job, lambda _: None)
    content = path.read_text()
    if change == "delete":
        path.unlink()
    else:
        path.write_text(content[: len(content) // 2].rpartition("\n")[0] if change == "truncate" else content * 2)
    with pytest.raises(InputError, match=r"TW83[39].*part-1"):
        make_shards(job, lambda _: None)
    assert not job.run.data.exists()


def test_a_share_that_holds_out_nothing_names_one_that_does(make_job):
    """The remedy of the refusal works."""
    with pytest.raises(InputError, match="TW838") as refused:
        made(make_job(validation=1e-6))
    share = float(refused.value.problems[0].remedy.split("%")[0].rsplit(" ", 1)[1]) / 100
    assert made(make_job("again", validation=share)) == ["trained", "written"]


def test_an_empty_source_is_refused(make_job, project):
    """Files without any text are not a corpus."""
    for path in (project / "corpus").iterdir():
        path.write_text("\n\n")
    with pytest.raises(InputError, match=r"TW8[23]"):
        made(make_job())

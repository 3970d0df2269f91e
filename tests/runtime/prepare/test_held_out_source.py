"""Held-out text of its own, and duplicates: what is trained on, what is held out, and what is counted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trainwright.runtime.data.dataset import open_dataset
from trainwright.runtime.data.open_tokenizer import open_tokenizer
from trainwright.runtime.data.shards import read_index
from trainwright.runtime.prepare import corpus
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.sources import source_lines, source_uses
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError
from trainwright.spec.sections import CorpusSource

HELD = CorpusSource(path="held/*.jsonl")


def prepared(job) -> list[str]:
    """Tokenizer and shards, and what was done for each."""
    return [make_tokenizer(job, lambda _: None), make_shards(job, lambda _: None)]


def texts(job, split: str) -> list[str]:
    """The documents of a split, in order."""
    tokenizer, index = open_tokenizer(job.run.tokenizer), read_index(job.run.data)
    shards = [shard for part in index.parts(split) for shard in part.shards]
    ids = np.concatenate([np.fromfile(job.run.data / shard.file, "<u2") for shard in shards])
    return [tokenizer.decode(piece) for piece in np.split(ids, np.flatnonzero(ids == index.end_of_document) + 1)[:-1]]


def write(folder: Path, name: str, documents: list[str]) -> None:
    """A JSONL file of documents."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))


def lines(project: Path) -> list[str]:
    """The documents of the project's corpus, in order."""
    files = sorted((project / "corpus").glob("*.jsonl"))
    return [json.loads(line)["text"] for path in files for line in path.read_text().splitlines()]


def test_held_out_text_of_its_own_is_all_held_out(make_job, project: Path) -> None:
    """Every document of it, none of the training text, in samples of its own; rows of the log for both."""
    held = [f"held {number} tensor carbon watt" * 4 for number in range(20)]
    write(project / "held", "a.jsonl", held)
    before = lines(project)
    job = make_job(validation_source=HELD)
    assert prepared(job) == ["trained", "written"]
    assert prepared(job) == ["unchanged", "verified"]
    assert texts(job, "train") == before
    assert texts(job, "validation") == held
    data = open_dataset(job.plan, job.run, "validation")
    assert data.samples(np.arange(4, dtype=np.uint64)).tokens.shape == (4, job.plan.training.sequence_length)
    index = read_index(job.run.data)
    train, own = source_uses(job.plan, index)
    assert (train.held_out_tokens, train.share) == (0, 1.0)
    assert (own.path, own.tokens, own.held_out_tokens) == (HELD.path, 0, index.validation[0].tokens)


def test_the_tokenizer_does_not_see_held_out_text(make_job, project: Path) -> None:
    """It is trained on the training text, so that other held-out text makes the same one."""
    write(project / "held", "a.jsonl", ["first words"] * 3)
    first = make_job("a", validation_source=HELD)
    prepared(first)
    write(project / "held", "a.jsonl", ["зовсім інший текст"] * 3)
    second = make_job("b", validation_source=HELD)
    prepared(second)
    assert first.run.tokenizer.read_bytes() == second.run.tokenizer.read_bytes()
    assert first.fingerprint != second.fingerprint


def test_shards_of_another_way_to_hold_out_do_not_fit(make_job, project: Path) -> None:
    """Training refuses them; preparation makes them again."""
    write(project / "held", "a.jsonl", ["some words"] * 50)
    write(project / "more", "a.jsonl", ["other words"] * 50)
    sources = (CorpusSource(path="corpus/*.jsonl"), CorpusSource(path="more/*.jsonl"))
    shared, own = make_job(train=sources), make_job(train=sources, validation_source=HELD)
    prepared(shared)
    with pytest.raises(InputError, match=r"TW812 .*hold out others"):
        open_dataset(own.plan, own.run, "validation")
    assert prepared(own)[1] == "written"


@pytest.mark.parametrize("workers", [1, 3])
def test_a_duplicate_is_left_out_and_counted(make_job, project: Path, workers: int) -> None:
    """The first copy is kept, in whatever source the others are; the count is in the index, the log and on screen."""
    before = lines(project)
    write(project / "more", "a.jsonl", [before[3], "new words", "new words", before[60], before[3]])
    sources = (CorpusSource(path="corpus/*.jsonl"), CorpusSource(path="more/*.jsonl"))
    job = make_job(train=sources, deduplicate=True, workers=workers)
    prepared(job)
    assert sorted(texts(job, "train") + texts(job, "validation")) == sorted([*before, "new words"])
    index = read_index(job.run.data)
    assert [source.duplicates for source in index.sources] == [0, 4]
    assert [use.duplicates for use in source_uses(job.plan, index)] == [0, 4]
    assert "more/*.jsonl: 4 duplicates" in list(source_lines(job.plan, index))
    plain = make_job("plain", train=sources)
    prepared(plain)
    assert len(texts(plain, "train") + texts(plain, "validation")) == len(before) + 5


def test_a_training_document_that_is_held_out_is_the_duplicate(make_job, project: Path) -> None:
    """The benchmark stays whole, the training text loses its copies."""
    before = lines(project)
    write(project / "held", "a.jsonl", [before[5], "held words", before[7]])
    job = make_job(validation_source=HELD, deduplicate=True)
    prepared(job)
    assert texts(job, "validation") == [before[5], "held words", before[7]]
    assert texts(job, "train") == [text for text in before if text not in (before[5], before[7])]
    assert [source.duplicates for source in read_index(job.run.data).sources] == [2, 0]


def test_a_long_document_is_a_duplicate_as_a_whole(make_job, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pieces travel one by one, and a shorter text that equals one of them is none."""
    monkeypatch.setattr(corpus, "_TEXT_BYTES", 500)
    (project / "long").mkdir()
    text = "".join(f"line {number} of carbon and watt\n" for number in range(200))
    for name in ("a", "b", "c"):
        (project / f"long/{name}.txt").write_text(text)
    (project / "long/d.txt").write_text(text[:450])
    sources = (CorpusSource(path="long/*.txt"), CorpusSource(path="corpus/*.jsonl"))
    job = make_job(train=sources, deduplicate=True)
    prepared(job)
    found = texts(job, "train") + texts(job, "validation")
    assert [found.count(text), found.count(text[:450])] == [1, 1]
    assert read_index(job.run.data).sources[0].duplicates == 2

"""Batches: the packed stream and nothing else, the same samples for every layout, and refusals of what does not fit."""

import json

import numpy as np
import pytest
import torch

from trainwright.runtime.data.dataset import Dataset, open_dataset
from trainwright.runtime.data.shards import read_index
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.layout import Layout
from trainwright.spec.problem import InputError
from trainwright.spec.sections import CorpusSource


@pytest.fixture
def job(make_job):
    """A prepared run."""
    return prepared(make_job())


def prepared(job):
    """The job, with its tokenizer and shards made."""
    make_tokenizer(job, lambda _: None)
    make_shards(job, lambda _: None)
    return job


def stream(job, split: str = "train") -> np.ndarray:
    """All tokens of the first source's shards."""
    part = read_index(job.run.data).parts(split)[0]
    return np.concatenate([np.fromfile(job.run.data / shard.file, dtype="<u2") for shard in part.shards])


def step_rows(job, layout: Layout, step: int) -> list[list[int]]:
    """The tokens of every sequence that all ranks of a layout see in one step, sorted."""
    data = open_dataset(job.plan.model_copy(update={"layout": layout}), job.run, "train")
    samples = range(step * layout.global_batch, (step + 1) * layout.global_batch)
    batches = [data.batch(samples, turn, rank) for turn in range(layout.accumulation) for rank in range(layout.data)]
    return sorted(row.tolist() for batch in batches for row in batch.tokens)


def test_an_epoch_is_the_stream_cut_into_sequences(job):
    """Every sequence of the stream comes once, its targets are the next tokens, and nothing else comes."""
    tokens, length = stream(job).astype(np.int64), 32
    data = open_dataset(job.plan, job.run, "train")
    count = (len(tokens) - 1) // length
    batch = data.samples(np.arange(count, dtype=np.uint64))
    assert batch.documents is None
    expected = sorted(tokens[i * length : i * length + length + 1].tolist() for i in range(count))
    rows = torch.cat((batch.tokens, batch.targets[:, -1:]), dim=1)
    assert sorted(rows.tolist()) == expected
    assert torch.equal(batch.tokens[:, 1:], batch.targets[:, :-1])


@pytest.mark.parametrize(
    "layout",
    [
        Layout(data=1, micro_batch=8),
        Layout(data=4, micro_batch=2),
        Layout(data=2, micro_batch=2, accumulation=2),
        Layout(data=8, tensor=2),
    ],
)
def test_every_layout_sees_the_same_samples(job, layout):
    """A step's samples depend on the global batch alone."""
    reference = Layout(data=2, micro_batch=4)
    for step in (0, 3, 40):
        assert step_rows(job, layout, step) == step_rows(job, reference, step)


@pytest.mark.parametrize(
    "layout", [Layout(micro_batch=4, accumulation=2), Layout(data=4, micro_batch=2), Layout(data=8)]
)
@pytest.mark.parametrize("left", range(1, 8))
def test_a_last_step_takes_what_is_left(job, layout, left):
    """However few samples are left, each counts once and as much as any other; all ranks take part in every turn."""
    data = open_dataset(job.plan.model_copy(update={"layout": layout}), job.run, "train")
    samples = range(40, 40 + left)
    batches = [data.batch(samples, turn, rank) for turn in range(layout.accumulation) for rank in range(layout.data)]
    assert {len(batch.tokens) for batch in batches} == {layout.micro_batch}
    assert sum(batch.weight for batch in batches) == pytest.approx(len(batches))
    counted = [
        (row.tolist(), batch.weight / len(batch.targets)) for batch in batches if batch.weight for row in batch.targets
    ]
    assert [row for row, _ in counted] == data.samples(np.array(samples, dtype=np.uint64)).targets.tolist()
    assert [share for _, share in counted] == pytest.approx([len(batches) / left] * left)


def test_documents_are_numbered_by_their_ends(make_job):
    """With attention inside documents, the number rises after each end-of-document token, and never before."""
    job = prepared(make_job(document_attention="within"))
    batch = open_dataset(job.plan, job.run, "train").samples(np.arange(8, dtype=np.uint64))
    end = read_index(job.run.data).end_of_document
    rises = batch.documents[:, 1:] - batch.documents[:, :-1]
    assert torch.equal(rises, (batch.tokens[:, :-1] == end).long())
    assert rises.sum() > 0


def test_sequences_cross_shard_borders(job, monkeypatch):
    """However small the shards, the samples are the same."""
    before = open_dataset(job.plan, job.run, "train").samples(np.arange(40, dtype=np.uint64))
    monkeypatch.setattr("trainwright.runtime.data.shards.SHARD_TOKENS", 37)
    (job.run.data / "index.json").unlink()
    prepared(job)
    assert len(read_index(job.run.data).train[0].shards) > 50
    after = open_dataset(job.plan, job.run, "train").samples(np.arange(40, dtype=np.uint64))
    assert torch.equal(before.tokens, after.tokens)


def test_two_sources_are_mixed_by_weight(make_job, project):
    """A source of weight three gives three quarters of the sequences."""
    (project / "corpus" / "upper.txt").write_text("QQ " * 3000)
    sources = (CorpusSource(path="corpus/*.jsonl", weight=1), CorpusSource(path="corpus/upper.txt", weight=3))
    job = prepared(make_job(train=sources, validation=0.2))
    batch = open_dataset(job.plan, job.run, "train").samples(np.arange(400, dtype=np.uint64))
    upper = stream_ids(job, "QQ")
    assert sum(upper <= set(row.tolist()) for row in batch.tokens) == 300


def stream_ids(job, text: str) -> set[int]:
    """The ids of a text."""
    from trainwright.runtime.data.tokenizer import Tokenizer

    return set(Tokenizer(job.run.tokenizer).encode(text).tolist()[-1:])


def opened(job, split: str = "train", **changes) -> Dataset:
    """The dataset, after changing keys of its index."""
    path = job.run.data / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return open_dataset(job.plan, job.run, split)


@pytest.mark.parametrize("changes", [{"vocab_size": 321}, {"tokenizer_sha256": "0" * 64}, {"train": []}])
def test_shards_of_another_tokenizer_or_corpus_are_refused(job, changes):
    """A mismatch with the plan or the tokenizer is named, never trained on."""
    with pytest.raises(InputError, match="TW812"):
        opened(job, **changes)


def test_a_damaged_index_is_refused(job):
    """An index that is not JSON is named."""
    (job.run.data / "index.json").write_text('{"version": 1,')
    with pytest.raises(InputError, match="TW811"):
        open_dataset(job.plan, job.run, "train")


@pytest.mark.parametrize("change", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:-2])])
def test_a_short_or_missing_shard_is_refused(job, change):
    """The size of every shard is checked when it is opened."""
    change(next(job.run.data.glob("train-*.bin")))
    with pytest.raises(InputError, match="TW813"):
        open_dataset(job.plan, job.run, "train")


def test_a_sequence_longer_than_the_data_is_refused(make_job):
    """No sequence to train on is an error that says what to change."""
    job = prepared(make_job(sequence=50_000))
    with pytest.raises(InputError, match="TW814"):
        open_dataset(job.plan, job.run, "train")

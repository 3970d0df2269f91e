"""The shards of a run: a dataset of the store, made from the corpus, or verified when it is there already."""

from __future__ import annotations

import shutil
from functools import partial

from ...spec.dataset_index import Index
from ...spec.problem import InputError
from ...spec.terminal import Terminal
from ..data.digests import DATA, shards_digest
from ..data.open_tokenizer import open_tokenizer
from ..data.shards import damaged_shards, file_sha256, read_index
from .close_dataset import close_dataset, tidy
from .job import Advance, Job
from .make_units import make_units


def make_shards(job: Job, advance: Advance) -> str:
    """Let the run refer to shards that fit its plan and its corpus; what was done, in words.

    Raises InputError when the corpus is wrong, or differs from what the run's checkpoints were trained on; OSError
    when shards cannot be written. What the run had before is then still there; units that are done are kept.
    """
    present = _fitting(job)
    if present and not damaged_shards(job.run.data, present, job.workers):
        job.store.refresh(job.run)
        return "verified"
    with job.store.preparing(job.digest, partial(say_waiting, job.digest)):
        done, index = _provide(job, advance)
        job.refuse_other(DATA, shards_digest(index))
        job.store.link(job.run, job.digest)
    return done


def _fitting(job: Job) -> Index | None:
    """The index that is there, if it is the one that the run is trained on, or was made from this corpus.

    A run that has begun needs its shards, and the corpus no more.
    """
    try:
        index = read_index(job.run.data)
    except InputError:
        return None
    if job.trained is not None:
        digest = shards_digest(index)
        return index if job.trained.get(DATA, digest) == digest else None
    same = index.fingerprint == job.fingerprint and index.tokenizer_sha256 == file_sha256(job.run.tokenizer)
    return index if same else None


def _provide(job: Job, advance: Advance) -> tuple[str, Index]:
    """The dataset of the job in the store, made where it is missing or damaged. Its lock must be held."""
    folder = job.store.folder(job.digest)
    try:
        index = read_index(folder)
    except InputError:
        return "written", _written(job, advance)
    if wrong := damaged_shards(folder, index, job.workers):
        return f"written again, since {wrong[0]}", _written(job, advance)
    return f"found in {job.store.path}", index


def _written(job: Job, advance: Advance) -> Index:
    """Make what is missing of the dataset, and give it its name."""
    draft = job.store.draft(job.digest)
    try:
        made = make_units(job, draft, advance)
        index = close_dataset(job, open_tokenizer(job.run.tokenizer), draft, made)
    except InputError:  # the corpus will not be this one again
        shutil.rmtree(draft, ignore_errors=True)
        raise
    job.store.publish(job.digest)
    tidy(job.store.folder(job.digest), index)
    return index


def say_waiting(digest: str) -> None:
    """Report why nothing happens."""
    Terminal(stderr=True).print(f"data       waiting for another process that prepares {digest[:12]}", soft_wrap=True)

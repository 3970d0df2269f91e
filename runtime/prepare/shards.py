"""The shards of a run: made from the corpus, or verified against their hashes when they are there already."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from ...spec.atomic_files import sync_folder, write_atomically
from ...spec.glob import described
from ...spec.problem import InputError
from ..data.digests import DATA, shards_digest
from ..data.open_tokenizer import AnyTokenizer, open_tokenizer
from ..data.shards import Index, Skipped, SourceFacts, file_sha256, read_index, shard_damage, token_type
from .duplicates import Duplicates
from .files import SourceFiles
from .job import Advance, Job
from .tokenize import Encoders, SourceWriter, refuse_empty
from .unigram_entropy import unigram_entropy


def make_shards(job: Job, advance: Advance) -> str:
    """Leave the run with shards that fit its plan and its corpus; what was done, in words.

    Raises InputError when the corpus is wrong, or differs from what the run's checkpoints were trained on; OSError
    when shards cannot be written. What was there before is then still there.
    """
    present = _fitting(job)
    faults = _faults(job, present) if present else []
    if present and not faults:
        return "verified"
    folder = job.run.data.with_name("data.new")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        index = _written(job, folder, advance)
        job.refuse_other(DATA, shards_digest(index))
        write_atomically(folder / "index.json", index.model_dump_json(indent=1).encode())
        _replace(job.run.data, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return f"written again, since {faults[0]}" if faults else "written"


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


def _faults(job: Job, index: Index) -> list[str]:
    """What is wrong with the shards on disk; hashing lets go of the interpreter, so threads do."""
    shards = [shard for part in (*index.train, *index.validation) for shard in part.shards]
    with ThreadPoolExecutor(job.workers) as pool:
        return list(filter(None, pool.map(partial(shard_damage, job.run.data), shards)))


def _written(job: Job, folder: Path, advance: Advance) -> Index:
    """Tokenize the whole corpus into `folder`."""
    tokenizer, data = open_tokenizer(job.run.tokenizer), job.plan.data
    _refuse_other_ends(job, tokenizer)
    dtype = token_type(tokenizer.vocab_size)
    writers = [SourceWriter(folder, n, source.path, dtype) for n, source in enumerate(data.sources)]
    bad, repeated = job.bad_documents(), Duplicates(len(writers))
    try:
        with Encoders(job.run.tokenizer, job.workers) as encoders:
            for number in job.reading_order:
                blocks = job.blocks(number, cuttable=tokenizer.by_word)
                for encoded in encoders(blocks, job.held_out(number), advance):
                    writers[number].write(repeated.drop(number, encoded) if data.deduplicate else encoded)
                    bad.add(number, encoded.bad)
        bad.refuse()
        job.refuse_changes()
        parts = [writer.close() for writer in writers]
    finally:
        for writer in writers:
            writer.abandon()
    refuse_empty(parts, min(writer.lowest for writer in writers))
    train = tuple(part for part, _ in parts[: len(data.train)])
    validation = tuple(held_out for _, held_out in parts[-len(data.split("validation")) :])
    return Index(
        dtype=dtype,
        vocab_size=tokenizer.vocab_size,
        begin_of_document=tokenizer.begin,
        end_of_document=tokenizer.end,
        tokenizer_sha256=file_sha256(job.run.tokenizer),
        fingerprint=job.fingerprint,
        unigram_entropy=unigram_entropy(folder, validation, dtype, tokenizer.vocab_size),
        train=train,
        validation=validation,
        sources=tuple(_facts(source, bad.skipped(n), repeated.counts[n]) for n, source in enumerate(job.sources)),
    )


def _facts(source: SourceFiles, skipped: tuple[Skipped, ...], duplicates: int) -> SourceFacts:
    return SourceFacts(
        files=len(source.files), left_out=described(source.left_out), skipped=skipped, duplicates=duplicates
    )


def _refuse_other_ends(job: Job, tokenizer: AnyTokenizer) -> None:
    """Raise InputError where token files end their documents with another id than the tokenizer."""
    data = job.plan.data
    for source, key in zip(data.sources, data.keys, strict=False):
        if source.token_ids is not None and source.token_ids.end_of_document != tokenizer.end:
            message = (
                f"{source.path}: end_of_document is {source.token_ids.end_of_document}, "
                f"and the tokenizer's end of a document is {tokenizer.end}"
            )
            remedy = "Name the tokenizer that made the ids, and its end of a document."
            raise InputError.one("TW858", message, remedy, f"{key}.token_ids.end_of_document")


def _replace(target: Path, folder: Path) -> None:
    """Put `folder` in the place of `target`. A crash in between leaves no data, which the next start makes again."""
    shutil.rmtree(target, ignore_errors=True)
    folder.rename(target)
    sync_folder(target.parent)

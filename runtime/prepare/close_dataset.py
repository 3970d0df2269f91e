"""When all units of a corpus are there: they become one dataset, with its index and its tokenizer."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.dataset_index import Index, Skipped, SourceFacts, SourcePart, joined
from ...spec.glob import described
from ...spec.problem import InputError
from ..data.json_tokenizer import CONFIG
from ..data.open_tokenizer import AnyTokenizer
from ..data.shards import file_sha256, token_type
from .bad_documents import EXAMPLES
from .documents import HASHES
from .duplicates import Duplicates
from .job import Job
from .train_tokenizer import RECORD
from .unigram_entropy import unigram_entropy
from .unit_files import UnitRecord, read_record
from .units import Unit


def close_dataset(job: Job, tokenizer: AnyTokenizer, folder: Path, made: Sequence[Unit]) -> Index:
    """Write the index of the units in `folder`. Raises InputError when there is nothing to train on or to hold out."""
    dtype, data = token_type(tokenizer.vocab_size), job.plan.data
    records, duplicates = _records(job, folder, made, dtype)
    parts = [(joined([r.train for r in of]), joined([r.validation for r in of])) for of in records]
    refuse_empty(parts, min(record.lowest for of in records for record in of))
    train = tuple(part for part, _ in parts[: len(data.train)])
    validation = tuple(held_out for _, held_out in parts[-len(data.split("validation")) :])
    index = Index(
        dtype=dtype,
        vocab_size=tokenizer.vocab_size,
        begin_of_document=tokenizer.begin,
        end_of_document=tokenizer.end,
        tokenizer_sha256=file_sha256(job.run.tokenizer),
        fingerprint=job.fingerprint,
        unigram_entropy=unigram_entropy(folder, validation, dtype, tokenizer.vocab_size),
        train=train,
        validation=validation,
        sources=tuple(_facts(job, source, of, duplicates.counts[source]) for source, of in enumerate(records)),
    )
    for path in (job.run.tokenizer, job.run.tokenizer.with_name(CONFIG), job.run.tokenizer.with_name(RECORD)):
        if path.is_file():
            write_atomically(folder / path.name, path.read_bytes())
    write_atomically(folder / "index.json", index.model_dump_json(indent=1).encode())
    return index


def tidy(folder: Path, index: Index) -> None:
    """Remove what a dataset that has its name needs no more: records of units, and shards with duplicates."""
    listed = {shard.file for shard in index.shards}
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.suffix == ".bin" and path.name not in listed:
            path.unlink(missing_ok=True)


def _records(job: Job, folder: Path, made: Sequence[Unit], dtype: str) -> tuple[list[list[UnitRecord]], Duplicates]:
    """The records of each source's units, without duplicates where those are left out."""
    records: list[list[UnitRecord]] = [[] for _ in job.plan.data.sources]
    duplicates = Duplicates(folder, dtype, len(records))
    for source in job.reading_order:
        for unit in (unit for unit in made if unit.source == source):
            record = read_record(folder, unit)
            if record is None:
                raise OSError(f"the record of unit {unit.number} in {folder} is gone")
            records[source].append(duplicates.drop(unit, record) if job.plan.data.deduplicate else record)
    return records, duplicates


def _facts(job: Job, number: int, records: Iterable[UnitRecord], duplicates: int) -> SourceFacts:
    found, source = job.sources[number], job.plan.data.sources[number]
    return SourceFacts(
        files=len(found.files),
        left_out=described(found.left_out),
        skipped=_together(skipped for record in records for skipped in record.skipped),
        duplicates=duplicates,
        licence=source.licence,
        origin=source.origin,
    )


def _together(skipped: Iterable[Skipped]) -> tuple[Skipped, ...]:
    """What was left out, summed by reason, with the first examples."""
    found: dict[str, list[Skipped]] = defaultdict(list)
    for entry in skipped:
        found[entry.code].append(entry)
    return tuple(
        Skipped(
            code=code,
            documents=sum(entry.documents for entry in entries),
            examples=tuple(example for entry in entries for example in entry.examples)[:EXAMPLES],
        )
        for code, entries in sorted(found.items())
    )


def refuse_empty(parts: Sequence[tuple[SourcePart, SourcePart]], lowest: int) -> None:
    """Raise InputError where a source gave no text, or there is none to train on or to hold out.

    `parts` are the training and the held-out part of each source, `lowest` the lowest number of a document.
    """
    for part, held_out in parts:
        if not part.documents + held_out.documents:
            raise InputError.one("TW837", f"{part.path} holds no text", "Add text.", "data.train")
    if not sum(held_out.documents for _, held_out in parts):
        count = sum(part.documents for part, _ in parts)
        share = (lowest + 1) / HASHES * 100
        raise InputError.one(
            "TW838",
            f"no document is held out for validation; the corpus has {count}",
            f"Write a share of {_rounded_up(share)}% or more, or split the text into more documents.",
            "data.validation",
        )
    if not sum(part.documents for part, _ in parts):
        remedy = "Lower the share, or split the text into more documents."
        raise InputError.one("TW838", "every document is held out for validation", remedy, "data.validation")


def _rounded_up(share: float) -> str:
    return f"{share * 1.005 + 0.001:.3g}"

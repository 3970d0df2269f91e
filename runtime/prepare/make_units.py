"""The units of a corpus, tokenized: all of them, or the share of one worker among several on other machines."""

from __future__ import annotations

from pathlib import Path

from ...spec.problem import InputError
from ..data.open_tokenizer import AnyTokenizer, open_tokenizer
from ..data.shards import token_type
from .bad_documents import BadDocuments
from .job import Advance, Job
from .line_ranges import LineNumbers
from .progress import AllWorkers
from .tokenize import Encoders
from .unit_files import commit, read_record, unit_writer
from .units import Unit, unit_blocks, units


def make_units(job: Job, folder: Path, advance: Advance) -> list[Unit]:
    """Make those units of the job's share that are not done yet; all units of the corpus.

    Raises InputError with every document that cannot be used, OSError when shards cannot be written.
    """
    tokenizer = open_tokenizer(job.run.tokenizer)
    _refuse_other_ends(job, tokenizer)
    every = units(job)
    missing: list[Unit] = []
    own = job.share.of(every)
    numbers = {unit.number for unit in own}
    advance = AllWorkers(advance, folder, [unit for unit in every if unit.number not in numbers])
    for unit in own:
        if read_record(folder, unit) is None:
            missing.append(unit)
        else:
            advance(unit.bytes)
    if missing:
        with Encoders(job.run.tokenizer, job.workers) as encoders:
            maker = _Maker(job, folder, tokenizer, encoders)
            for unit in missing:
                maker.make(unit, advance)
        maker.bad.refuse()
    job.refuse_changes()
    return every


class _Maker:
    """Tokenizes one unit after another; one with documents that are refused is not committed."""

    def __init__(self, job: Job, folder: Path, tokenizer: AnyTokenizer, encoders: Encoders) -> None:
        self.bad, self._numbers = job.bad_documents(), LineNumbers()
        self._job, self._folder, self._encoders = job, folder, encoders
        self._cuttable, self._dtype = tokenizer.by_word, token_type(tokenizer.vocab_size)

    def make(self, unit: Unit, advance: Advance) -> None:
        """Leave the unit with its shards and its record. Raises InputError when very many documents are refused."""
        data, own = self._job.plan.data, BadDocuments(skip=True, sources=1)
        blocks = unit_blocks(self._job, unit, cuttable=self._cuttable)
        with unit_writer(self._folder, unit, self._dtype) as writer:
            for encoded in self._encoders(blocks, self._job.held_out(unit.source), advance):
                writer.write(encoded)
                bad = self._numbers.corrected(unit.line_parts, encoded.bad)
                own.add(0, bad)
                self.bad.add(unit.source, bad)
            record, tables = writer.close(data.sources[unit.source].path, own.skipped(0))
            if data.on_bad_document == "skip" or not record.skipped:
                commit(self._folder, unit, writer, record, tables if data.deduplicate else {})


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

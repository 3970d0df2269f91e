"""What is to be prepared: a plan's corpus, found on disk, and the digest that shows whether it was prepared already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ...spec.sections import CorpusSource
from ..checkpoint.saved_run import has_checkpoint, newest_saved_run
from ..checkpoint.signing_key import signing_key
from ..data.shards import file_sha256
from ..data.store import STORE, DatasetStore
from .bad_documents import BadDocuments
from .corpus import blocks
from .documents import Block
from .files import SourceFiles, Stamps, changed, content_digests, source_files, stamps
from .reading import Reading
from .recorded_corpus import recorded_fingerprint
from .share import WHOLE, Share
from .token_blocks import TokenBlock

_LAYOUT = 2  # of units, shards and index
_B = TypeVar("_B", Block, TokenBlock)
Advance = Callable[[int], None]
Blocks = Iterator[tuple[Block, int]]
AnyBlocks = Iterator[tuple[Block | TokenBlock, int]]


@dataclass(frozen=True)
class Job:
    """A plan, its run folder, and the project folder that the corpus paths are relative to."""

    plan: Plan
    run: RunFolder
    root: Path
    workers: int
    share: Share = WHOLE

    @cached_property
    def sources(self) -> tuple[SourceFiles, ...]:
        """The files of each source. Raises InputError when a source has none."""
        return tuple(source_files(source, self.root) for source in self.plan.data.sources)

    @cached_property
    def stamps(self) -> tuple[Stamps, ...]:
        """Size and time of each file of each source, before any is read."""
        return tuple(stamps(source.files + source.indices) for source in self.sources)

    @cached_property
    def bytes(self) -> int:
        """Size of the corpus on disk."""
        return sum(size for files in self.stamps for size, _ in files.values())

    @cached_property
    def fingerprint(self) -> str:
        """Digest of everything but the tokenizer that decides what the shards hold: of contents, wherever they lie."""
        if self.share.recorded and (known := recorded_fingerprint(self.run, self.stamps)):
            return known
        _ = self.stamps  # taken before any file is read: a change from here on is noticed by `refuse_changes`
        data = self.plan.data
        facts = [
            (_reading(source), content_digests(found.files + found.indices, self.workers))
            for source, found in zip(data.sources, self.sources, strict=True)
        ]
        bound: list[object] = [data.max_document] if data.on_bad_document == "skip" else []
        bound += ["own validation"] if data.validation_source else []
        bound += ["deduplicated"] if data.deduplicate else []
        return hashlib.sha256(json.dumps([facts, data.validation, *bound]).encode()).hexdigest()

    @cached_property
    def digest(self) -> str:
        """The digest of the dataset: of the corpus, the tokenizer, and all settings that decide what shards hold."""
        facts = [_LAYOUT, self.fingerprint, file_sha256(self.run.tokenizer)]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    @cached_property
    def store(self) -> DatasetStore:
        """Where datasets are: as the spec says, or beside the run."""
        place = self.plan.data.store
        return DatasetStore((self.root / place if place else self.run.path.parent / STORE).resolve())

    @cached_property
    def trained(self) -> Mapping[str, str] | None:
        """Digests of the tokenizer and the shards that the run's checkpoints rest on; None before the first.

        Empty when no checkpoint records them: then nothing may be made anew.
        """
        if not has_checkpoint(self.run):
            return None
        saved = newest_saved_run(self.run, signing_key(self.plan.training.checkpoint))
        return saved.digests if saved else {}

    def refuse_other(self, name: str, digest: str) -> None:
        """Raise InputError when a run that has begun would continue with another tokenizer or other shards."""
        if self.trained is not None and self.trained.get(name) != digest:
            message = f"the {name} made anew would not be the one that {self.run.path} was trained on"
            remedy = "Put the corpus and the tokenizer back as they were, or start a new run folder."
            raise InputError.one("TW815", message, remedy, "data.train")

    def bad_documents(self) -> BadDocuments:
        """A new collector of what cannot be used."""
        return BadDocuments(skip=self.plan.data.on_bad_document == "skip", sources=len(self.plan.data.sources))

    @property
    def text_sources(self) -> list[int]:
        """The numbers of the sources that are text to train on."""
        return [number for number, source in enumerate(self.plan.data.train) if source.token_ids is None]

    @property
    def reading_order(self) -> list[int]:
        """The numbers of the sources. Held-out text comes first: a copy of it is then the duplicate."""
        numbers = list(range(len(self.plan.data.sources)))
        return numbers if self.plan.data.validation_source is None else [numbers[-1], *numbers[:-1]]

    def held_out(self, source: int) -> float:
        """The share of a source's documents that are held out."""
        if self.plan.data.validation_source is None:
            return self.plan.data.validation
        return float(source == len(self.plan.data.train))

    def reading(self, source: int, *, cuttable: bool = True) -> Reading:
        """How the files of a source that is text are read."""
        data = self.plan.data
        return Reading(data.sources[source].field, data.max_document, data.max_expansion, cuttable)

    def text_blocks(self, source: int) -> Blocks:
        """The blocks of a source that is text, each with the bytes of its file that were read for it."""
        for path in self.sources[source].files:
            yield from steps(blocks(path, self.reading(source)))

    def refuse_changes(self) -> None:
        """Raise InputError when a file of the corpus is not as it was before the first was read."""
        names = [name for files in self.stamps for name in changed(files)]
        if names:
            message = f"{', '.join(names[:3])} changed while {'they were' if names[1:] else 'it was'} read"
            remedy = "Launch again when nothing writes to the corpus any more."
            raise InputError.one("TW839", message, remedy, "data.train")


def steps(found: Iterator[tuple[_B, int]]) -> Iterator[tuple[_B, int]]:
    """Blocks with the bytes read for each, from the bytes read so far."""
    before = 0
    for block, position in found:
        yield block, position - before
        before = position


def _reading(source: CorpusSource) -> object:
    """What decides how the files of a source are read."""
    return source.field if source.token_ids is None else source.token_ids.model_dump()

"""What is to be prepared: a plan's corpus, found on disk, and the digest that tells whether it was prepared already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...spec.plan import Plan
from ...spec.run_folder import RunFolder
from . import corpus

Advance = Callable[[int], None]
Blocks = Iterator[tuple[corpus.Block, int]]


@dataclass(frozen=True)
class Job:
    """A plan, its run folder, and the project folder that the corpus paths are relative to."""

    plan: Plan
    run: RunFolder
    root: Path
    workers: int

    @cached_property
    def files(self) -> tuple[list[Path], ...]:
        """The files of each source. Raises InputError when a source has none."""
        return tuple(corpus.files(source, self.root) for source in self.plan.data.train)

    @property
    def bytes(self) -> int:
        """Size of the corpus on disk."""
        return sum(path.stat().st_size for paths in self.files for path in paths)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of everything but the tokenizer that decides what the shards hold."""
        facts = [
            (source.path, source.field, corpus.fingerprint(paths, self.root))
            for source, paths in zip(self.plan.data.train, self.files, strict=True)
        ]
        return hashlib.sha256(json.dumps([facts, self.plan.data.validation]).encode()).hexdigest()

    def blocks(self, source: int) -> Blocks:
        """The blocks of a source, each with the bytes of its file that were read for it."""
        for path in self.files[source]:
            before = 0
            for block, position in corpus.blocks(path, self.plan.data.train[source].field):
                yield block, position - before
                before = position

"""Batches from shards: a pure function of (seed, step, rank), so that resuming needs only the step.

A sample is `sequence_length` tokens of the packed stream and the token after each; a document may begin anywhere in it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...spec.corpus import Split
from ...spec.dataset_index import Index, SourcePart
from ...spec.layout import Layout
from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from .sample_order import SampleOrder
from .shard_files import SHARD_FILES
from .shards import file_sha256, read_index
from .store import hold_for_reading


@dataclass(frozen=True)
class Batch:
    """One micro-batch: each [sequences, time] int64; `documents` only where attention stays inside them.

    In a last step that is not full `targets` has fewer rows, those that count, and `weight` is what their mean loss
    counts for beside the micro-batches of a full step.
    """

    tokens: Tensor
    targets: Tensor
    documents: Tensor | None
    weight: float = 1.0


class Stream:
    """The tokens of one source, in many files, as if they were one array."""

    def __init__(self, folder: Path, part: SourcePart, dtype: str) -> None:
        self._kind = np.dtype(dtype).newbyteorder("<")
        self._paths = [folder / shard.file for shard in part.shards]
        self._ends = list(accumulate(shard.tokens for shard in part.shards))
        self.tokens = part.tokens
        for path, shard in zip(self._paths, part.shards, strict=True):
            _check_size(path, shard.tokens * self._kind.itemsize)
            SHARD_FILES.forget(path)

    def read(self, start: int, count: int) -> NDArray[np.int64]:
        """Tokens [count] from `start`, over shard borders where need be."""
        pieces: list[NDArray[np.int64]] = []
        while count:
            shard = bisect_right(self._ends, start)
            here = min(count, self._ends[shard] - start)
            pieces.append(self._piece(shard, start, here))
            start, count = start + here, count - here
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _piece(self, shard: int, start: int, count: int) -> NDArray[np.int64]:
        """Tokens [count] that lie in one shard, from `start` of the source."""
        inside = start - (self._ends[shard - 1] if shard else 0)
        size = self._kind.itemsize
        content = SHARD_FILES.read(self._paths[shard], inside * size, count * size)
        return np.frombuffer(content, self._kind).astype(np.int64)


@dataclass(frozen=True)
class Dataset:
    """One split of a run's data, cut into samples and put in order."""

    streams: tuple[Stream, ...]
    order: SampleOrder
    sequence_length: int
    layout: Layout
    end_of_document: int | None  # given only where attention must stay inside documents

    def batch(self, step: range, micro_step: int, data_rank: int) -> Batch:
        """The micro-batch number `micro_step` (below the layout's accumulation) of `data_rank` in a step.

        `step` are the places of its samples in the order of training, a global batch of them or, in the last step,
        fewer: whoever then has none computes on the first one at weight zero, since all ranks must take part.
        """
        layout = self.layout
        places = range(layout.micro_batch * (micro_step * layout.data + data_rank), len(step))[: layout.micro_batch]
        mine = [step[place] for place in places]
        rows = mine + [step.start] * (layout.micro_batch - len(mine))
        batch = self.samples(np.array(rows, dtype=np.uint64))
        if len(step) == layout.global_batch:
            return batch
        weight = len(mine) / layout.micro_batch * layout.global_batch / len(step)
        return replace(batch, targets=batch.targets[: max(1, len(mine))], weight=weight)

    def samples(self, numbers: NDArray[np.uint64]) -> Batch:
        """The samples with these places in the training order."""
        length = self.sequence_length
        drawn = zip(*self.order(numbers), strict=True)
        rows = torch.from_numpy(
            np.stack([self.streams[source].read(int(n) * length, length + 1) for source, n in drawn])
        )
        tokens, targets = rows[:, :-1].contiguous(), rows[:, 1:].contiguous()
        return Batch(tokens, targets, self._documents(tokens))

    def _documents(self, tokens: Tensor) -> Tensor | None:
        if self.end_of_document is None:
            return None
        ends = (tokens == self.end_of_document).long()
        return ends.cumsum(1) - ends  # the end token still belongs to its document


def open_dataset(plan: Plan, run: RunFolder, split: Split) -> Dataset:
    """The data of a run as `runtime.prepare` left it, which also verified the hashes.

    Raises InputError when tokenizer, sources or sequence length do not fit the plan, or a shard has the wrong size.
    """
    hold_for_reading(run.data)
    index = read_index(run.data)
    _fits(index, plan, run)
    length = plan.training.sequence_length
    used = [
        (source.weight, part)
        for source, part in zip(plan.data.split(split), index.parts(split), strict=True)
        if part.tokens > length
    ]
    if len(used) < len(index.parts(split)) and (split == "train" or not used):
        raise InputError.one(
            "TW814",
            f"a source has no sequence of {length} tokens for the {split} part",
            "Add text, shorten training.sequence_length, or change data.validation.",
            "data",
        )
    sizes = tuple((part.tokens - 1) // length for _, part in used)
    weights = tuple(weight for weight, _ in used if weight is not None)
    order = SampleOrder(sizes, weights or None, plan.data.seed)
    streams = tuple(Stream(run.data, part, index.dtype) for _, part in used)
    within = plan.data.document_attention == "within"
    return Dataset(streams, order, length, plan.layout, index.end_of_document if within else None)


def _fits(index: Index, plan: Plan, run: RunFolder) -> None:
    """Refuse shards that were made for another tokenizer, vocabulary or list of sources."""
    wrong: list[str] = []
    if index.vocab_size != plan.model.vocab_size:
        wrong.append(f"they hold a vocabulary of {index.vocab_size}, the model one of {plan.model.vocab_size}")
    if index.tokenizer_sha256 != file_sha256(run.tokenizer):
        wrong.append(f"they were made with another tokenizer than {run.tokenizer}")
    made, wanted = (index.train, index.validation), (plan.data.train, plan.data.split("validation"))
    if tuple(map(len, made)) != tuple(map(len, wanted)):
        wrong.append(f"they were made from {len(index.train)} sources, not {len(plan.data.train)}, or hold out others")
    if wrong:
        raise InputError.one(
            "TW812", f"the shards in {run.data} do not fit the plan: {'; '.join(wrong)}", "Launch again to remake them."
        )


def _check_size(path: Path, expected: int) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InputError.one(
            "TW813", f"{path} cannot be read: {error.strerror}", "Launch again to remake it."
        ) from error
    if size != expected:
        raise InputError.one("TW813", f"{path} has {size} bytes instead of {expected}", "Launch again to remake it.")

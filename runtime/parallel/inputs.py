"""The model's inputs: this rank's part of each micro batch, on its device.

On a GPU a micro batch is copied from pinned memory on a stream of its own while the one before computes: neither the
host nor the device waits for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ..data.dataset import Batch
from ..model.document_mask import Documents
from .world import World

Inputs = dict[str, Any]


def model_inputs(batches: Iterable[Batch], world: World) -> Iterator[Inputs]:
    """The model's arguments and the loss's `weight` for each batch; one is read and copied ahead on a GPU."""
    if world.device.type == "cpu":
        yield from (_part(batch, world) for batch in batches)
        return
    copies = _copies(world.device)
    ahead = None
    for batch in batches:
        coming = copies.start(_part(batch, world))
        if ahead is not None:
            yield copies.arrived(*ahead)
        ahead = coming
    if ahead is not None:
        yield copies.arrived(*ahead)


def _part(batch: Batch, world: World) -> Inputs:
    """Tokens and targets of this rank's part of the sequences, where it begins, and the documents of the whole."""
    part = batch.tokens.shape[1] // world.layout.sequence
    here = slice(world.sequence_rank * part, (world.sequence_rank + 1) * part)
    return {
        "x": batch.tokens[:, here].contiguous(),
        "targets": batch.targets[:, here].contiguous(),
        "positions": torch.arange(here.start, here.stop),
        "documents": None if batch.documents is None else Documents.numbered(batch.documents),
        "weight": batch.weight,
    }


class _Copies:
    """Copies to one GPU, on a stream of their own."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)

    def start(self, inputs: Inputs) -> tuple[Inputs, Any]:
        """Begin to copy; what comes back is for `arrived`."""
        with torch.cuda.stream(self._stream):
            here = {name: _moved(value, self._send) for name, value in inputs.items()}
        return here, self._stream.record_event()

    def arrived(self, inputs: Inputs, copied: Any) -> Inputs:
        """The inputs, for whatever the current stream is given from now on."""
        torch.cuda.current_stream().wait_event(copied)
        return {name: _moved(value, _held) for name, value in inputs.items()}

    def _send(self, tensor: Tensor) -> Tensor:
        return tensor.pin_memory().to(self._device, non_blocking=True)


_copies = cache(_Copies)


def _held(tensor: Tensor) -> Tensor:
    """Not to be given to another stream before the current one is done with it."""
    tensor.record_stream(torch.cuda.current_stream())
    return tensor


def _moved(value: Any, move: Any) -> Any:
    if isinstance(value, Documents):
        return value.moved(move)
    return move(value) if isinstance(value, Tensor) else value

"""Where documents begin in packed sequences, so that attention stays inside of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SHORTEST = 512  # of the bound on their length: kernels start no less than a few blocks for each document anyway


@dataclass(frozen=True, slots=True, eq=False)
class Documents:
    """The documents of a batch of packed sequences.

    `numbers` [batch, time] says which document of its row a token belongs to, for masks. `starts` [documents + 1],
    int32, are the places where each begins in all rows laid end to end, and where the last ends, for kernels that work
    document by document. `longest` bounds their length in tokens: a power of two, since compiled code is made for it.
    """

    numbers: Tensor
    starts: Tensor
    longest: int

    def __eq__(self, other: object) -> bool:
        """The same documents, on any devices: DeepSpeed compares the inputs of tensor-parallel ranks once."""
        if not isinstance(other, Documents):
            return NotImplemented
        pairs = ((self.numbers, other.numbers), (self.starts, other.starts))
        return self.longest == other.longest and all(torch.equal(own, its.to(own.device)) for own, its in pairs)

    def __hash__(self) -> int:
        """Equal where they are equal."""
        return hash((self.numbers.shape, self.longest))

    @classmethod
    def numbered(cls, numbers: Tensor) -> Documents:
        """From the numbers, on a CPU: on a GPU it would have to wait for the device."""
        begins = torch.ones_like(numbers, dtype=torch.bool)
        begins[:, 1:] = numbers[:, 1:] != numbers[:, :-1]
        starts = torch.cat((begins.flatten().nonzero().flatten(), torch.tensor([numbers.numel()])))
        longest = max(int(starts.diff().max()), SHORTEST)
        return cls(numbers, starts.int(), min(1 << (longest - 1).bit_length(), numbers.shape[1]))

    @classmethod
    def rows(cls, x: Tensor) -> Documents:
        """Each row of `x` [batch, time, ...] as one document."""
        batch, time = x.shape[:2]
        numbers = torch.zeros(batch, time, dtype=torch.int64, device=x.device)
        return cls(numbers, torch.arange(0, batch * time + 1, time, dtype=torch.int32, device=x.device), time)

    def moved(self, move: Callable[[Tensor], Tensor]) -> Documents:
        """The same where `move` takes tensors."""
        return Documents(move(self.numbers), move(self.starts), self.longest)

    def mask(self) -> Tensor:
        """Which tokens each token may see: [batch, 1, time, time]."""
        return (self.numbers[:, :, None] == self.numbers[:, None, :]).tril()[:, None]

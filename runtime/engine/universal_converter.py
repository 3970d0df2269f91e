"""DeepSpeed's converter from its own checkpoint files to universal ones, which any layout can load."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from ..parallel.world import World
from .deepspeed_private import converting_with

SHARED_PARTS = 2  # of the converter: it cuts the files of ranks into those of parameters, and joins these

# Does an action on every rank, and returns the results of all; raises on all ranks where one has failed.
Together = Callable[[Callable[[], Any]], list[Any]]


class _ShareDoneError(Exception):
    """What is left of the conversion is the first rank's."""


@dataclass
class _Shares:
    """Takes the place of the converter's processes, which would be forks of one that uses a GPU."""

    world: World
    together: Together
    parts: int = 0  # done

    def __call__(self, do_work: Callable[[Any], Any], items: Iterable[Any], _: int) -> list[Any]:
        """The results of all ranks, each of which has done its share."""
        mine = [*items][self.world.rank :: self.world.size]
        found = self.together(lambda: [do_work(item) for item in mine])
        self.parts += 1
        if self.parts == SHARED_PARTS and self.world.rank > 0:
            raise _ShareDoneError
        return [result for results in found for result in results]


def to_universal(source: Path, target: Path, world: World, together: Together) -> None:
    """Convert the files in `source`, which must have been checked: the converter unpickles anything.

    All ranks call it. Files are mapped: every rank opens all of them, and reads its share.
    """
    from deepspeed.checkpoint import ds_to_universal

    options = Namespace(
        input_folder=str(source),
        output_folder=str(target),
        num_extract_workers=1,
        num_merge_workers=1,
        keep_temp_folder=False,
        strict=True,
        inject_missing_state=True,
    )
    with (
        Path(os.devnull).open("w") as quiet,
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
        contextlib.suppress(_ShareDoneError),
        converting_with(_Shares(world, together)),
        patch.object(torch, "load", partial(torch.load, mmap=True)),
    ):
        ds_to_universal.main(options)

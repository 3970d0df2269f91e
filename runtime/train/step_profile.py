"""A profile of some steps, asked for while a run is under way: a trace a rank, and what the seconds of a step went to.

`trainwright profile` leaves a request in the run folder. Rank 0 looks for it with each step, the ranks agree on it in
the step's own all-reduce, and those that are asked for are traced by torch's profiler from the next step on. The steps
are training like all others; between profiles nothing of this runs.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from ...spec.events import ProfileEvent
from ...spec.profile_request import ProfileRequest, read_profile_request
from ...spec.run_folder import RunFolder
from ..parallel.world import World

COMMUNICATION = ("nccl", "gloo:")  # how kernels and operations begin that move data between ranks
OPTIMIZER = ("Optimizer.step", "adam", "multi_tensor_apply")

Span = tuple[float, float]  # beginning and end, in microseconds


@dataclass(frozen=True, slots=True)
class StepSeconds:
    """What the seconds of a step went to on one rank; what runs beside something else counts once, in this order."""

    optimizer: float
    compute: float
    communication: float  # that nothing hides
    waiting: float  # for the host, for another rank, for nothing that was traced


class StepProfile:
    """The profile that is under way on this rank, if there is one."""

    def __init__(self, run: RunFolder, world: World) -> None:
        self._run, self._world = run, world
        self._request: ProfileRequest | None = None
        self._tracer: profile | None = None
        self._began, self._left = 0.0, 0

    def is_asked_for(self) -> bool:
        """Whether a request waits. Ask on one rank only: a shared file system pays for each look."""
        return self._request is None and self._run.profile_request.exists()

    def begin(self) -> None:
        """Take the request up: every rank calls it after the same step."""
        request = None
        if self._world.rank == 0:
            request = read_profile_request(self._run.profile_request)
            self._run.profile_request.unlink(missing_ok=True)
        asked = self._world.all_gather_object((request.steps, request.ranks) if request else None)[0]
        if asked is None:
            return
        self._request = ProfileRequest(steps=asked[0], ranks=tuple(asked[1]))
        self._left, self._began = self._request.steps, time.monotonic()
        if self._world.rank in self._request.ranks:
            cuda = [ProfilerActivity.CUDA] if self._world.device.type == "cuda" else []
            self._tracer = profile(activities=[ProfilerActivity.CPU, *cuda])
            self._tracer.start()

    def end_step(self, step: int) -> ProfileEvent | None:
        """Count a step; after the last one write the traces and tell what was found. Every rank calls it."""
        if self._request is None:
            return None
        self._left -= 1
        if self._left:
            return None
        steps, own = self._request.steps, (time.monotonic() - self._began) / self._request.steps
        if self._tracer is not None:
            self._tracer.stop()
        # Ranks begin and end a moment apart: the longest span holds what every one of them did.
        seconds = max(self._world.all_gather_object(own))
        said = self._world.all_gather_object(self._finish(step, seconds))
        self._request = None
        found = {rank: StepSeconds(*own) for rank, own in enumerate(said) if own is not None}
        return ProfileEvent(
            step=step,
            seconds=round(seconds, 6),
            steps=steps,
            ranks=tuple(found),
            optimizer_seconds=tuple(round(own.optimizer, 6) for own in found.values()),
            compute_seconds=tuple(round(own.compute, 6) for own in found.values()),
            communication_seconds=tuple(round(own.communication, 6) for own in found.values()),
            waiting_seconds=tuple(round(own.waiting, 6) for own in found.values()),
        )

    def _finish(self, step: int, seconds: float) -> tuple[float, ...] | None:
        """Write this rank's trace; its seconds of a step, None where it is not traced."""
        if self._tracer is None or self._request is None:
            return None
        folder = self._run.profile(step)
        folder.mkdir(parents=True, exist_ok=True)
        self._tracer.export_chrome_trace(str(folder / f"rank-{self._world.rank}.json.gz"))
        own = step_seconds(self._tracer.events() or (), self._world.device, self._request.steps, seconds)
        self._tracer = None
        return own.optimizer, own.compute, own.communication, own.waiting


def step_seconds(events: Sequence[Any], device: torch.device, steps: int, seconds: float) -> StepSeconds:
    """What a step of `seconds` went to, from the profiler's events of `steps` steps.

    On a GPU its kernels count, on a CPU the operations; what both do not cover is waiting.
    """
    kind = "CUDA" if device.type == "cuda" else "CPU"
    spans: dict[str, list[Span]] = {"optimizer": [], "compute": [], "communication": []}
    for event in events:
        if event.device_type.name == kind:
            spans[_part(event.name)].append((event.time_range.start, event.time_range.end))
    optimizer = union_length(spans["optimizer"])
    computed = union_length(spans["optimizer"] + spans["compute"])
    busy = union_length([span for part in spans.values() for span in part])
    scale = 1e-6 / steps
    return StepSeconds(
        optimizer * scale, (computed - optimizer) * scale, (busy - computed) * scale, max(0.0, seconds - busy * scale)
    )


def _part(name: str) -> str:
    if name.lower().startswith(COMMUNICATION):
        return "communication"
    return "optimizer" if any(word in name for word in OPTIMIZER) else "compute"


def union_length(spans: Sequence[Span]) -> float:
    """How long at least one of the spans lasts."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total

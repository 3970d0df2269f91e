"""The ranks of one node: started together, watched, and ended together; one process a device.

What torchrun does for a run that is not elastic, without what it gets wrong here: its ranks outlive it, it answers 1
whatever they say, it kills them 30 s after a signal, and its store listens on every address.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...spec.exit_codes import Exit
from ...spec.listening import LISTENER
from .heartbeat import PATIENCE, PIPE, STARTUP
from .lifeline import bound_to_us

LOOK = 0.5  # seconds between looks at ranks that say nothing
SILENCE_AFTER_END = 8.0  # seconds without a heartbeat after which a rank will not leave by itself either
GRACE = 20.0


@dataclass
class Rank:
    """One rank as its launcher sees it."""

    number: int
    process: subprocess.Popen[bytes]
    pipe: int  # its heartbeat
    heard: float = field(default_factory=time.monotonic)  # its last beat, before the first its start
    starting: bool = True
    ended: float | None = None

    @property
    def code(self) -> int:
        """Its exit status as a shell has it."""
        status = self.process.returncode
        return status if status >= 0 else 128 - status


@dataclass
class LocalRanks:
    """The ranks of this node. `say` gets a fault that a rank could not report itself: its number, and what happened.

    `patience` are the seconds of silence that count as hung, `grace` those for the others to save what they can and
    leave by themselves after one has ended.
    """

    say: Callable[[int, str], object]
    patience: float = PATIENCE
    grace: float = GRACE
    ranks: list[Rank] = field(default_factory=list[Rank])
    hung: set[int] = field(default_factory=set[int])
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def start(self, words: Sequence[str], environments: Sequence[Mapping[str, str]], listener: int | None) -> None:
        """Start `words` as a Python module once for each environment; the first gets the socket to listen on."""
        for local, environment in enumerate(environments):
            theirs, ours = _pipe()
            inherited = {PIPE: theirs} | ({LISTENER: listener} if local == 0 and listener is not None else {})
            process = subprocess.Popen(
                [sys.executable, "-u", "-m", *words],
                env={**environment, **{name: str(descriptor) for name, descriptor in inherited.items()}},
                pass_fds=tuple(inherited.values()),
                preexec_fn=bound_to_us(),  # noqa: PLW1509 - there is one thread here
            )
            os.close(theirs)
            self.ranks.append(Rank(int(environment["RANK"]), process, ours))
            self.selector.register(ours, selectors.EVENT_READ, self.ranks[-1])

    def wait(self) -> int:
        """Until all have ended; the code of the one that was first to fail, 0 when none did."""
        while alive := [rank for rank in self.ranks if rank.ended is None]:
            for key, _ in self.selector.select(LOOK):
                self._listen(key.data)
            for rank in alive:
                self._look(rank)
            failed = [rank.ended for rank in self.ranks if rank.ended is not None and rank.code]
            if failed and time.monotonic() - min(failed) > self.grace:
                self.kill()
        return self._first_failure()

    def kill(self) -> None:
        """End what is still there."""
        for rank in self.ranks:
            if rank.process.poll() is None:
                self.hung.add(rank.number)
                rank.process.kill()

    def _listen(self, rank: Rank) -> None:
        if os.read(rank.pipe, 4096):
            rank.heard, rank.starting = time.monotonic(), False
            return
        self.selector.unregister(rank.pipe)
        os.close(rank.pipe)
        with suppress(subprocess.TimeoutExpired):  # it has ended, or is about to
            rank.process.wait(LOOK)

    def _look(self, rank: Rank) -> None:
        now = time.monotonic()
        if rank.process.poll() is not None:
            rank.ended = now
            if rank.process.returncode < 0 and rank.number not in self.hung:  # it could not say so itself
                self.say(rank.number, f"rank {rank.number} was ended by signal {-rank.process.returncode}")
        elif now - rank.heard > (patience := self._patience(rank)) and rank.number not in self.hung:
            self.hung.add(rank.number)
            if not self._done:
                self.say(rank.number, f"rank {rank.number} has not answered for {patience:.0f} s")
            rank.process.kill()

    @property
    def _done(self) -> bool:
        """Whether a rank has ended well: all ranks agree on that end, so a silent one is just slow to exit."""
        return any(rank.ended is not None and rank.code == Exit.DONE for rank in self.ranks)

    def _patience(self, rank: Rank) -> float:
        """Seconds of silence that count as hung: few once a peer has failed, which has waited itself."""
        if rank.starting:
            return STARTUP
        failed = any(rank.ended is not None for rank in self.ranks) and not self._done
        return SILENCE_AFTER_END if failed else self.patience

    def _first_failure(self) -> int:
        """Ranks that only lost a peer are echoes of the one that was first; no end that all agreed on is undone."""
        failed = [rank for rank in self.ranks if rank.code and not (self._done and rank.number in self.hung)]
        if not failed:
            return Exit.DONE
        first = min(failed, key=lambda rank: (rank.code == Exit.PEER_LOST, rank.ended or 0.0))
        return Exit.PEER_LOST if first.number in self.hung else first.code


def _pipe() -> tuple[int, int]:
    """The writing end, for a child, and the reading end of a new pipe."""
    reading, writing = os.pipe()
    return writing, reading


def environments(place: Mapping[str, Any], first: int, here: int) -> list[dict[str, str]]:
    """The variables of each rank of a node that has ranks `first` to `first + here - 1` of all."""
    common = {**os.environ, **{name: str(value) for name, value in place.items()}, "LOCAL_WORLD_SIZE": str(here)}
    return [common | {"RANK": str(first + local), "LOCAL_RANK": str(local)} for local in range(here)]

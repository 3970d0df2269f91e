"""The meter of an instrument: a thread looks at it once a second, the training loop only reads memory.

An instrument that is slow, hangs or dies therefore costs coverage, never training time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ...spec.device_row import DeviceRow
from ...spec.events import FaultEvent, GapEvent
from .device_energy import DeviceEnergy, InstrumentLimits, Sample
from .meter import Clock
from .meter_reading import MeterSource, Reading

if TYPE_CHECKING:
    from .gpu_state import NodeStates  # with pynvml, which a node without GPUs need not have

SAMPLE_PERIOD = 1.0  # seconds between samples
CLOSE_TIMEOUT = 2.0  # seconds that `close` waits for the last sample


class Probe(Protocol):
    """One device as its instrument shows it."""

    device: str
    limits: InstrumentLimits

    def sample(self) -> tuple[float | None, float | None, str]:
        """Energy counter in joules, power in watts, and why one of them is missing. Never raises; may be slow."""
        ...


Watch = Callable[[], list[FaultEvent]]


class SampledMeter:
    """Energy of the node's devices. `watches` are looked at after every sample; their events go into the run's log."""

    def __init__(
        self,
        source: MeterSource,
        probes: Sequence[Probe],
        watches: Sequence[Watch] = (),
        clock: Clock = time.monotonic,
        states: NodeStates | None = None,
    ) -> None:
        self.source: MeterSource | None = source
        self._clock = clock
        self._wall = time.time() - clock()  # gaps are dated once, so that a wall clock that jumps cannot stretch them
        opened = clock()
        self._tracks = [(probe, DeviceEnergy(opened, probe.limits)) for probe in probes]
        self._states = states
        self._watches = watches if states is None else (*watches, states.look)
        # time, joules and uncovered seconds of each device, as `devices` left them
        self._before = [(opened, 0.0, 0.0)] * len(self._tracks)
        self._news: list[FaultEvent] = []
        self._most = 0.0
        self._final: Reading | None = None
        self._lock = threading.Lock()
        self._wake, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="energy", daemon=True)

    def start(self) -> SampledMeter:
        """Take the first sample, then continue in a thread."""
        self.sample()
        self._thread.start()
        return self

    def sample(self) -> None:
        """Look at every device once."""
        for probe, track in self._tracks:
            joules, watts, reason = probe.sample()
            with self._lock:
                if self._final is None:
                    track.add(Sample(self._clock(), joules, watts, reason))
        news = [event for watch in self._watches for event in watch()]
        with self._lock:
            self._news += news

    def read(self) -> Reading:
        """The energy since the meter was opened; never falls, and is at most a second's energy off the next sample."""
        with self._lock:
            if self._final is not None:
                return self._final
            reading = self._read(self._clock())
            if reading.joules is None:
                return reading
            self._most = max(self._most, reading.joules)
            return replace(reading, joules=self._most)

    def sample_now(self) -> None:
        """Have the thread take a sample now, so that two phases are split where they meet."""
        self._wake.set()

    def events(self) -> list[GapEvent | FaultEvent]:
        """Gaps that became certain, and what the watches saw, since the last call."""
        with self._lock:
            now = self._clock()
            gaps = [
                GapEvent(device=probe.device, start=start + self._wall, end=end + self._wall, reason=reason)
                for probe, track in self._tracks
                for start, end, reason in track.take_gaps(now)
            ]
            news, self._news = self._news, []
        return [*gaps, *news]

    def devices(self) -> list[DeviceRow]:
        """What the device of each local rank did since the last call."""
        if self._states is None:
            return []
        state = dict(enumerate(self._states.take()))
        with self._lock:
            used = [self._used(index) for index in range(len(self._tracks))]
        return [
            DeviceRow(device=self._tracks[probe][0].device, **used[probe], **state.get(probe, {}))
            for probe in self._states.by_rank
        ]

    def close(self) -> Reading:
        """Take a last sample if the instrument answers in time, settle what is open, and stop."""
        if self._thread.is_alive():
            self._closing.set()
            self._wake.set()
            self._thread.join(CLOSE_TIMEOUT)
        with self._lock:
            if self._final is None:
                now = self._clock()
                for _, track in self._tracks:
                    track.finish(now)
                self._final = self._read(now)
            return self._final

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait(SAMPLE_PERIOD)
            self._wake.clear()
            self.sample()

    def _used(self, index: int) -> dict[str, Any]:
        """Energy and mean power of a device since the last call."""
        track, now = self._tracks[index][1], self._clock()
        then, *before = self._before[index]
        totals = track.joules(now), track.seconds(now)[2]
        self._before[index] = (now, *totals)
        joules, uncovered = (total - old for total, old in zip(totals, before, strict=True))
        if not track.known:
            return {"joules": None, "watts": None}
        whole = uncovered <= 0 and now > then
        return {"joules": round(max(joules, 0.0), 1), "watts": round(joules / (now - then), 1) if whole else None}

    def _read(self, now: float) -> Reading:
        tracks = [track for _, track in self._tracks]
        covered, bridged, uncovered = (sum(each) for each in zip(*(t.seconds(now) for t in tracks), strict=True))
        if not any(track.known for track in tracks):
            return Reading(self.source, None, None, covered, bridged, uncovered)
        watts = [track.watts(now) for track in tracks]
        power = None if None in watts else sum(w for w in watts if w is not None)
        return Reading(self.source, sum(track.joules(now) for track in tracks), power, covered, bridged, uncovered)

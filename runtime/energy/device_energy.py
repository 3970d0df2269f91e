"""The energy of one device from what an unreliable instrument says: a counter that may stall, wrap, reset or vanish.

In: samples (energy counter, momentary power, or why they are missing). Out: joules, the seconds they cover, and gaps.

The counter is believed from one good value to the next, however far apart: it went on counting while it could not
be read. What the counter cannot settle (it was reset, it lost energy, there is none) is settled by integrating the
power trace, and what the trace does not cover either becomes a gap. Times are monotonic seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...spec.facts import figures

MAX_AGE: float = figures("metering")["reading_age"]  # a reading older than this many seconds says nothing about now
HOLD = 1.0  # between two samples the power is taken to hold for this many seconds
GIVE_UP_AFTER: float = figures("metering")["counter_wait"]  # seconds without a reading
SHORTFALL: float = figures("metering")["counter_shortfall"]  # of what the power trace saw
UNREAD = "the instrument did not answer"


@dataclass(frozen=True, slots=True)
class InstrumentLimits:
    """What is known of an instrument: the most its device can draw, where its counter wraps, whether there is one."""

    ceiling_watts: float | None = None
    modulus_joules: float | None = None
    counter: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a device; `reason` says why a value is missing."""

    time: float
    joules: float | None
    watts: float | None
    reason: str = ""


@dataclass(slots=True)
class PowerTrace:
    """The integral of the power samples since `start`, and the holes in it."""

    start: float
    end: float
    joules: float = 0.0
    least: float = 0.0  # joules, when of two samples the smaller one held
    watts: float | None = None
    holes: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def add(self, time: float, watts: float | None) -> None:
        """Take a power sample; two of them join when no more than LATE seconds lie between."""
        if watts is None:
            return
        if time - self.end <= MAX_AGE:
            before = watts if self.watts is None else self.watts
            self.joules += (watts + before) / 2 * (time - self.end)
            self.least += min(watts, before) * (time - self.end)
        else:
            self.holes.append((self.end, time))
        self.end, self.watts = time, watts

    def finish(self, time: float) -> None:
        """Extend the trace to `time`: the last power holds for LATE seconds, beyond that is a hole."""
        if self.watts is not None and time - self.end <= MAX_AGE:
            self.add(time, self.watts)
        elif time > self.end:
            self.holes.append((self.end, time))
            self.end = time

    def restart(self, time: float) -> None:
        """Begin again at `time`, which the trace has reached; the last power stays known."""
        self.start = self.end = time
        self.joules, self.least, self.holes = 0.0, 0.0, []

    @property
    def hole_seconds(self) -> float:
        """Seconds in holes."""
        return sum(end - start for start, end in self.holes)


class DeviceEnergy:
    """Energy of one device since `opened`."""

    def __init__(self, opened: float, limits: InstrumentLimits) -> None:
        self._limits = limits
        self._counter: float | None = None  # its last good value, read at `_trace.start`
        self._trace = PowerTrace(opened, opened)
        self._reason = UNREAD
        self._joules = self._covered = self._bridged = self._uncovered = 0.0
        self._gaps: list[tuple[float, float, str]] = []

    def add(self, sample: Sample) -> None:
        """Take a sample; samples come in the order of their times."""
        self._trace.add(sample.time, sample.watts)
        self._reason = sample.reason or self._reason
        if sample.joules is not None:
            self._count(sample.time, sample.joules)
        elif not self._limits.counter and sample.watts is not None:
            self._settle_by_trace(sample.time)

    def finish(self, time: float) -> None:
        """Settle everything up to `time` with what is known."""
        fresh, bridged = time - self._trace.start <= MAX_AGE, self._bridged
        self._settle_by_trace(time)
        if fresh and self._limits.counter:  # the moment since the last sample is no failure of the counter
            self._covered, self._bridged = self._covered + self._bridged - bridged, bridged

    def take_gaps(self, now: float) -> list[tuple[float, float, str]]:
        """Spans (start, end, reason) that became certain gaps since the last call.

        After GIVE_UP_AFTER seconds without any reading a span is one, so that the log of a killed run has it.
        """
        if now - self._trace.end > GIVE_UP_AFTER:
            self._settle_by_trace(now)
            self._counter = None
        gaps, self._gaps = self._gaps, []
        return gaps

    def joules(self, now: float) -> float:
        """Energy metered up to `now`; the last power is taken to hold until the next sample."""
        ahead = min(max(0.0, now - self._trace.end), HOLD)
        return self._joules + self._trace.joules + (self._trace.watts or 0.0) * ahead

    def watts(self, now: float) -> float | None:
        """Power at the last sample; None when that is too old."""
        return self._trace.watts if now - self._trace.end <= MAX_AGE else None

    def seconds(self, now: float) -> tuple[float, float, float]:
        """Seconds covered by the counter, bridged by the power trace, and covered by neither."""
        blind = now - self._trace.end
        missing = self._trace.hole_seconds + (blind if blind > MAX_AGE else 0.0)
        pending = max(0.0, now - self._trace.start - missing)
        counted = self._limits.counter and now - self._trace.start <= MAX_AGE
        covered, bridged = (pending, 0.0) if counted else (0.0, pending)
        return self._covered + covered, self._bridged + bridged, self._uncovered + missing

    @property
    def known(self) -> bool:
        """Whether the instrument ever gave a number."""
        return self._trace.watts is not None or self._counter is not None

    def _count(self, time: float, counter: float) -> None:
        """Settle the span since the last good value of the counter, unless it stands still."""
        delta = self._advance(time, counter)
        if delta == 0:
            self._reason = "the energy counter stands still"
            return
        if delta is not None:
            self._settle_by_counter(time, delta)
        elif self._counter is None and time - self._trace.start <= MAX_AGE:
            self._trace.restart(time)  # the first value only says where the counter starts
        else:
            self._settle_by_trace(time)
        self._counter, self._reason = counter, UNREAD

    def _advance(self, time: float, counter: float) -> float | None:
        """Joules that the counter adds up to `time`; None when it cannot be believed for this span."""
        if self._counter is None:
            return None
        span, limits = time - self._trace.start, self._limits
        delta = counter - self._counter
        if delta == 0:
            return delta
        if limits.modulus_joules:
            delta %= limits.modulus_joules
            if limits.ceiling_watts and span * limits.ceiling_watts > limits.modulus_joules:
                self._reason = "the energy counter may have wrapped more than once"
                return None
        if delta < 0 or (limits.ceiling_watts and delta > limits.ceiling_watts * (span + HOLD)):
            self._reason = f"the energy counter {'was reset' if delta < 0 else 'jumped'}"
            return None
        if span > MAX_AGE and delta < SHORTFALL * self._trace.least:
            self._reason = "the energy counter lost energy"
            return None
        return delta

    def _settle_by_counter(self, time: float, joules: float) -> None:
        span = time - self._trace.start
        self._joules += joules
        self._covered += span
        if self._trace.end < time and span > HOLD / 2:
            self._trace.watts = joules / span  # no power reading: the mean since the last value stands in for it
        self._trace.restart(time)

    def _settle_by_trace(self, time: float) -> None:
        self._trace.finish(time)
        missing = self._trace.hole_seconds
        self._joules += self._trace.joules
        self._bridged += time - self._trace.start - missing
        self._uncovered += missing
        self._gaps += [(start, end, self._reason) for start, end in self._trace.holes]
        self._trace.restart(time)

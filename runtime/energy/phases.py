"""The energy ledger by phase: charges what the meters add to what the run was doing, over all restarts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from ...spec.events import Event, PhaseEvent, StartEvent, StepEvent
from ...spec.units import JOULES_PER_KWH
from .meter import Clock
from .meter_reading import Reading

Phase = Literal["tokenizer", "data", "train", "validate", "checkpoint", "startup"]


@dataclass(slots=True)
class Account:
    """What one phase took. `unmetered_seconds` is the part of `seconds` whose energy is unknown, not zero."""

    seconds: float = 0.0
    joules: float = 0.0
    unmetered_seconds: float = 0.0
    measured: bool = True

    def add(self, seconds: float, joules: float | None, *, measured: bool) -> None:
        """Charge a span to the phase."""
        self.seconds += seconds
        if joules is None:
            self.unmetered_seconds += seconds
        else:
            self.joules += joules
        self.measured &= measured

    @property
    def kwh(self) -> float | None:
        """Energy in kWh; None when not one second of the phase was metered."""
        return None if self.unmetered_seconds >= self.seconds else self.joules / JOULES_PER_KWH


class PhaseLedger:
    """Splits the energy of the whole job over phases. Feed it readings that are already summed over ranks.

    Energy that was spent on work lost in a crash stays counted: on a restart call `resume` with the run's
    event log, which knows more than the last checkpoint does.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._charged = clock()
        self._reading: Reading | None = None
        self._total: dict[str, Account] = defaultdict(Account)
        self._fresh: dict[str, Account] = defaultdict(Account)

    def charge_energy(self, phase: Phase, reading: Reading) -> None:
        """Charge the time and energy since the last call (or since the ledger was made) to `phase`."""
        now = self._clock()
        before = 0.0 if self._reading is None else self._reading.joules
        joules = None if reading.joules is None or before is None else max(0.0, reading.joules - before)
        for accounts in (self._total, self._fresh):
            accounts[phase].add(now - self._charged, joules, measured=reading.measured)
        self._charged, self._reading = now, reading

    @property
    def kwh(self) -> float | None:
        """Metered energy of the run in kWh, restarts included; None when nothing was ever metered."""
        known = [kwh for account in self._total.values() if (kwh := account.kwh) is not None]
        return sum(known) if known else None

    @property
    def phases(self) -> dict[str, Account]:
        """Totals by phase."""
        return dict(self._total)

    def events(self) -> list[PhaseEvent]:
        """The spans since the last call as `phase` events of the run's log, without `time` and `attempt`."""
        fresh, self._fresh = self._fresh, defaultdict(Account)
        return [
            PhaseEvent(name=name, seconds=a.seconds, energy_kwh=a.kwh, measured=a.measured) for name, a in fresh.items()
        ]

    def state_dict(self) -> dict[str, Any]:
        """The totals, as plain JSON."""
        return {name: asdict(account) for name, account in self._total.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from saved totals. Raises KeyError when a field is missing."""
        self._total.clear()
        for name, saved in state.items():
            self._total[name] = Account(**{field.name: saved[field.name] for field in fields(Account)})

    def resume(self, events: Iterable[Event]) -> None:
        """Resume from a run's event log.

        `phase` events carry the totals. The steps after the last of an attempt, whose own `phase` events a kill
        swallowed, are charged to `train` from the cumulative energy of their `step` events.
        """
        self._total.clear()
        tail, measured = Account(), True
        for event in events:
            match event:
                case StartEvent():
                    self._add_tail(tail, measured)
                    tail, measured = Account(), event.measured is True
                case StepEvent(energy_kwh=kwh):
                    tail.seconds += event.seconds or 0.0
                    tail.joules = 0.0 if kwh is None else max(0.0, (kwh - (self.kwh or 0.0)) * JOULES_PER_KWH)
                    tail.unmetered_seconds = tail.seconds if kwh is None else 0.0
                case PhaseEvent(energy_kwh=kwh):
                    joules = None if kwh is None else kwh * JOULES_PER_KWH
                    self._total[event.name].add(event.seconds or 0.0, joules, measured=event.measured is True)
                    if not event.prepares:  # what prepares belongs to the next attempt
                        tail = Account()
                case _:
                    pass
        self._add_tail(tail, measured)

    def _add_tail(self, tail: Account, measured: bool) -> None:
        if tail.seconds:
            self._total["train"].add(tail.seconds, None if tail.unmetered_seconds else tail.joules, measured=measured)

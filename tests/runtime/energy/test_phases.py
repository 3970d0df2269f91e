"""The ledger: energy by phase, over restarts."""

from __future__ import annotations

import json

import pytest

from trainwright.runtime.energy import PhaseLedger, Reading
from trainwright.spec.events import PhaseEvent, StartEvent, StepEvent
from trainwright.spec.units import JOULES_PER_KWH


def nvml(kwh):
    """A reading of a measured job."""
    return Reading("nvml", kwh * JOULES_PER_KWH, 300.0)


@pytest.fixture
def ledger(clock):
    """A ledger that has seen two phases: train 10 s and 1 kWh, checkpoint 4 s and 0.5 kWh."""
    ledger = PhaseLedger(clock)
    clock.now += 10
    ledger.charge_energy("train", nvml(1.0))
    clock.now += 4
    ledger.charge_energy("checkpoint", nvml(1.5))
    return ledger


def test_charges_the_difference(ledger):
    """Each phase gets the time and energy since the last charge."""
    assert ledger.kwh == pytest.approx(1.5)
    assert {name: (a.seconds, a.kwh, a.measured) for name, a in ledger.phases.items()} == {
        "train": (10, 1.0, True),
        "checkpoint": (4, 0.5, True),
    }


def test_events_are_spans(ledger, clock):
    """Phase events carry what was charged since the last ones."""
    first = ledger.events()
    assert [(e.name, e.seconds, e.energy_kwh) for e in first] == [("train", 10, 1.0), ("checkpoint", 4, 0.5)]
    assert ledger.events() == []
    clock.now += 1
    ledger.charge_energy("train", nvml(1.75))
    assert ledger.events() == [PhaseEvent(name="train", seconds=1, energy_kwh=0.25, measured=True)]


def test_unknown_energy_is_kept_apart(ledger, clock):
    """Seconds without a known energy add no energy and are not measured; a phase of nothing else is unknown."""
    clock.now += 7
    ledger.charge_energy("startup", Reading(None, None, None))
    assert ledger.phases["startup"].kwh is None
    assert ledger.phases["startup"].unmetered_seconds == 7
    assert not ledger.phases["startup"].measured
    assert ledger.kwh == pytest.approx(1.5)
    assert ledger.events()[-1].energy_kwh is None


def test_nothing_metered_is_unknown(clock):
    """A run that no meter saw has an unknown energy, not zero."""
    ledger = PhaseLedger(clock)
    assert ledger.kwh is None
    clock.now += 1
    ledger.charge_energy("train", Reading(None, None, None))
    assert ledger.kwh is None


def test_state_survives_json(ledger, clock):
    """Totals go through a checkpoint unchanged and are added to."""
    state = json.loads(json.dumps(ledger.state_dict()))
    restored = PhaseLedger(clock)
    restored.load_state_dict(state)
    assert restored.phases == ledger.phases
    clock.now += 2
    restored.charge_energy("train", nvml(0.25))
    assert restored.kwh == pytest.approx(1.75)


def step(kwh, seconds=1.0):
    """A step event."""
    return StepEvent(seconds=seconds, energy_kwh=kwh)


def test_resume_counts_lost_work(ledger, clock):
    """After a crash the event log's cumulative energy counts, work that must be done again included."""
    events = [StartEvent(measured=True), step(0.5), step(1.0), *ledger.events(), step(1.6), step(1.8)]
    resumed = PhaseLedger(clock)
    resumed.resume(events)
    assert resumed.kwh == pytest.approx(1.8)
    assert resumed.phases["train"].seconds == 12
    assert resumed.phases["checkpoint"].kwh == 0.5


def test_resume_after_two_kills(ledger, clock):
    """Energy of two killed attempts stays counted; what the next start prepares in between is added to it."""
    start = StartEvent(measured=True)
    prepared = PhaseEvent(name="data", seconds=1.0, energy_kwh=0.25, measured=True)
    events = [start, step(1.0), prepared, start, step(1.5), step(2.0), prepared]
    resumed = PhaseLedger(clock)
    resumed.resume(events)
    assert resumed.kwh == pytest.approx(2.25)
    assert resumed.phases["train"].kwh == pytest.approx(1.75)
    assert resumed.phases["data"].kwh == pytest.approx(0.5)
    assert resumed.phases["train"].seconds == 3


def test_resume_of_an_unknown_run(clock):
    """A run whose log knows no energy stays unknown."""
    resumed = PhaseLedger(clock)
    resumed.resume([StartEvent(measured=False), step(None)])
    assert resumed.kwh is None
    assert resumed.phases["train"].unmetered_seconds == 1


def test_total_never_rises_by_a_cut(ledger, clock):
    """However short the log was cut, the resumed total is at most that of a longer one."""
    events = [StartEvent(measured=True), step(0.5), step(1.0), *ledger.events(), step(1.6), step(1.8)]
    totals = []
    for length in range(len(events) + 1):
        resumed = PhaseLedger(clock)
        resumed.resume(events[:length])
        totals.append(resumed.kwh or 0.0)
    assert totals == sorted(totals)
    assert totals[-1] == pytest.approx(1.8)

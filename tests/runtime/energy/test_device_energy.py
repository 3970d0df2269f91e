"""Properties of the energy of one device, under any sequence of faults."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.runtime.energy.device_energy import MAX_AGE, DeviceEnergy, InstrumentLimits, Sample

HIGHEST = 700.0
STEP = st.floats(0.05, 8.0)
POWER = st.floats(60.0, HIGHEST)
FAULT = st.sampled_from(["", "", "", "counter", "power", "both", "reset", "frozen"])


def play(track, story):
    """Run a story of (seconds, watts, fault) against the track; the true spans (start, end, watts)."""
    now, counter, shown, spans = 0.0, 5e6, 5e6, []
    resets = 0
    track.add(Sample(0.0, shown, story[0][1]))
    for seconds, watts, fault in story:
        spans.append((now, now + seconds, watts))
        now += seconds
        counter += watts * seconds
        resets += fault == "reset"
        if fault == "reset" and resets == 1:  # of two within a few seconds the second cannot be told from slow counting
            counter = 0.0
        if fault in ("", "power", "reset"):
            shown = counter
        joules = None if fault in ("counter", "both") else shown
        power = None if fault in ("power", "both") else watts
        track.add(Sample(now, joules, power, fault))
    return now, spans


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.tuples(STEP, POWER, FAULT), min_size=1, max_size=60), st.booleans())
def test_nothing_is_invented(story, counter):
    """Every second is covered, bridged or in a gap; no gap overlaps another; energy stays physical."""
    track = DeviceEnergy(0.0, InstrumentLimits(1.5 * HIGHEST, counter=counter))
    end, _ = play(track, story)
    track.finish(end)
    gaps = track.take_gaps(end)
    assert abs(sum(track.seconds(end)) - end) < 1e-6
    assert abs(sum(stop - start for start, stop, _ in gaps) - track.seconds(end)[2]) < 1e-6
    assert all(first[1] <= second[0] + 1e-9 for first, second in pairwise(gaps))
    assert all(stop - start > 0 and reason for start, stop, reason in gaps)
    assert 0 <= track.joules(end) <= 1.5 * HIGHEST * (end + len(story))


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.tuples(st.floats(0.05, MAX_AGE), st.just(300.0), FAULT), min_size=1, max_size=60))
def test_true_outside_gaps(story):
    """At a steady power the energy is the true energy of every second outside the gaps, whatever failed."""
    track = DeviceEnergy(0.0, InstrumentLimits(1.5 * HIGHEST))
    end, spans = play(track, story)
    track.finish(end)
    lost = sum(stop - start for start, stop, _ in track.take_gaps(end))
    assert abs(track.joules(end) - 300.0 * (end - lost)) <= 0.01 * 300.0 * end + 1e-6
    assert spans


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.tuples(STEP, POWER, st.sampled_from(["", "counter", "power"])), min_size=1, max_size=60))
def test_counter_is_exact_between_outages(story):
    """With a sound counter at the end the energy is exactly the true one, however often a reading was missing."""
    story = [*story, (0.5, 100.0, "")]
    track = DeviceEnergy(0.0, InstrumentLimits(1.5 * HIGHEST))
    end, spans = play(track, story)
    track.finish(end)
    truth = sum((stop - start) * watts for start, stop, watts in spans)
    assert abs(track.joules(end) - truth) <= 1e-6 * truth

"""Promises of the estimate."""

from __future__ import annotations

import pytest

from trainwright.compiler.plan.estimate import estimate
from trainwright.compiler.plan.layout_search import choose
from trainwright.tests.compiler.specs import loaded

PAPER = {"llama2-7b": 31.2238, "llama2-13b": 62.4476, "llama2-34b": 153.9074, "llama2-70b": 291.4222}


def _estimate(name, *sets):
    spec = loaded(name, *sets).spec
    return estimate(spec, choose(spec))


@pytest.mark.parametrize("name", PAPER)
def test_llama2_hours_are_predicted(name):
    """Published GPU-hours lie within the printed range and within 12% of the prediction."""
    found = _estimate(name)
    assert found.device_hours.low <= found.published_device_hours <= found.device_hours.high
    assert found.device_hours.value == pytest.approx(found.published_device_hours, rel=0.12)


@pytest.mark.parametrize(("name", "tonnes"), PAPER.items())
def test_table_2_from_published_hours(name, tonnes):
    """Published hours x cap x PUE x intensity, to the digits behind the paper's printed ones."""
    assert _estimate(name).paper_carbon_tonnes == pytest.approx(tonnes, abs=1e-4)


def test_ranges_hold_their_value_and_say_why():
    """Low <= value <= high, and the assumption that dominates is named."""
    found = _estimate("llama2-7b")
    for key in (
        "step_seconds",
        "tokens_per_second",
        "memory_bytes",
        "device_hours",
        "power_watts",
        "energy_kwh",
        "carbon_tonnes",
    ):
        figure = getattr(found, key)
        assert figure.low <= figure.value <= figure.high, key
        assert figure.because, key


def test_determinism_costs_time_and_says_how_sure_that_is():
    """Attention's backward pass is charged what is published; on CPUs, which are deterministic anyway, nothing is."""
    spec = loaded("llama2-7b").spec
    layout, asked = choose(spec), loaded("llama2-7b", "training.deterministic=true").spec
    free, exact = estimate(spec, layout), estimate(asked, layout)
    assert 1.01 < exact.step_seconds.value / free.step_seconds.value < 1.1
    assert [note for note in exact.notes if "arXiv 2601.21824" in note]
    assert _estimate("tiny-cpu", "training.deterministic=true").notes == _estimate("tiny-cpu").notes


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ((), None),
        (("cluster.gpu=L40S", "model.layers=8"), "a L40S-48GB"),
        (("training.sequence_length=262144", "training.global_batch=1024 sequences", "model.layers=1"), "262,144"),
    ],
)
def test_what_was_never_compared_is_called_extrapolated(sets, said):
    """A device family or a size beyond every published row is said to be so; what was seen is not."""
    notes = [note for note in _estimate("llama2-7b", *sets).notes if "Extrapolated" in note]
    assert [said in note for note in notes] == ([True] if said else [])


def test_draw_is_not_simply_the_cap():
    """Below the cap, above half of it, and less under a lower cap."""
    high, low = _estimate("llama2-7b"), _estimate("llama2-7b", "cluster.power_cap=300W")
    assert 200 < low.power_watts.value < 300 < high.power_watts.value < 400


def test_a_cap_costs_hours_and_saves_energy():
    """350 W instead of 400 W: more hours, fewer kWh."""
    high, low = _estimate("llama2-7b"), _estimate("llama2-7b", "cluster.power_cap=350W")
    assert low.device_hours.value > high.device_hours.value
    assert low.energy_kwh.value < high.energy_kwh.value


def test_wider_scopes_are_lines_of_their_own():
    """Host, network and embodied only when asked for, each with its range and source; cooling follows PUE."""
    plain = [part.name for part in _estimate("llama2-7b").scope_parts]
    wide = _estimate(
        "llama2-7b", "carbon.scopes.host=true", "carbon.scopes.network=true", "carbon.scopes.embodied=true"
    )
    assert plain == ["devices", "cooling and distribution"]
    assert [part.name for part in wide.scope_parts] == [*plain, "host", "network", "embodied"]
    assert all(part.low < part.value < part.high and part.source for part in wide.scope_parts)


def test_money_and_water_only_from_the_spec():
    """No rate, no figure; a rate times hours or kWh otherwise."""
    bare = _estimate("llama2-7b")
    rated = _estimate("llama2-7b", "cluster.price=2 EUR/h", "carbon.water=1.8 L/kWh")
    assert (bare.cost, bare.water_litres) == (None, None)
    assert rated.cost.value == pytest.approx(2 * rated.device_hours.value)
    assert rated.currency == "EUR"
    assert rated.water_litres.value == pytest.approx(1.8 * rated.energy_kwh.value)


def test_calibrated_efficiency_speeds_compute():
    """cluster.efficiency scales the profile that the runtime is predicted with."""
    assert (
        _estimate("llama2-7b", "cluster.efficiency=1.2").step_seconds.value < _estimate("llama2-7b").step_seconds.value
    )


def test_a_cpu_estimate_is_wide_and_honest():
    """A factor of two either way, energy from the spec's own figure, no utilisation of an unknown peak."""
    found = _estimate("tiny-cpu")
    assert found.step_seconds.high / found.step_seconds.low >= 3.9
    assert found.power_watts.value == 15
    assert found.mfu is None
    assert found.memory_limit_bytes is None

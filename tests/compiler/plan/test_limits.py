"""Promises of limits in plans and estimates."""

from __future__ import annotations

import pytest

from trainwright.compiler.check.planned_layout import limits_of
from trainwright.compiler.plan.estimate import estimate, predict
from trainwright.compiler.plan.layout_search import NoLayoutError, search
from trainwright.tests.compiler.specs import loaded


def test_every_limit_is_compared_with_its_own_prediction():
    """Days, carbon, energy, money and memory with their ranges, site power with devices x cap."""
    limits = "limits={days: 40, carbon: 300 t, energy: 1000 MWh, cost: 5M USD, memory: 70 GiB, site_power: 800 kW}"
    found = predict(loaded("llama2-70b", limits, "cluster.price=2 USD/h").spec)
    compared = {limit.name: limit.found for limit in found.limits}
    site = compared.pop("site_power")
    assert (site.low, site.value, site.high) == (2048 * 400,) * 3
    assert compared == {
        "days": found.days,
        "carbon": found.carbon_tonnes,
        "energy": found.energy_kwh,
        "cost": found.cost,
        "memory": found.memory_bytes,
    }


def test_a_limit_of_memory_is_what_layouts_may_fill():
    """The chosen layout stays below it, those above do not fit, and none fits a limit that is too small."""
    free, held = loaded("llama2-70b").spec, loaded("llama2-70b", "limits.memory=40 GiB").spec
    assert search(free).best.memory_bytes > 40 * 2**30
    found = search(held)
    assert found.best.memory_bytes <= 40 * 2**30
    assert all(c.memory_bytes > 40 * 2**30 for c in found.candidates if c.step is None)
    with pytest.raises(NoLayoutError, match="no layout fits"):
        predict(loaded("llama2-70b", "limits.memory=1 GiB").spec)


def test_the_fastest_layout_is_the_one_that_uses_least():
    """Among layouts of one cluster and cap the chosen one takes the fewest days, and hardly more energy."""
    spec = loaded("llama2-13b", "cluster.gpus=64", "training.global_batch=1024 sequences").spec
    found = search(spec)
    best = estimate(spec, found.best.layout)
    for candidate in [c for c in found.candidates if c.step][::25]:
        other = estimate(spec, candidate.layout)
        assert best.days.value <= other.days.value * 1.005
        assert best.energy_kwh.value <= other.energy_kwh.value * 1.03


def test_a_spec_without_limits_has_none_and_keeps_its_digest():
    """Nothing is compared, and nothing of it is written."""
    found = loaded("llama2-7b")
    assert limits_of(found) == ()
    assert "limits" not in found.spec.model_dump_json()
    assert "limits" not in predict(found.spec).model_dump_json()

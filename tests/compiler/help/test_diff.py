"""Comparing specs by what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.compiler.help.diff import Change, Effect, changes, effects
from trainwright.compiler.load import load

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module")
def pair():
    """Llama 2 7B under two power caps."""
    path = EXAMPLES / "llama2-7b.yaml"
    return load(path).spec, load(path, ["cluster.power_cap=200W", "published=null"]).spec


def test_changes_are_values_as_a_spec_writes_them(pair):
    """Units included; what is not set is None."""
    found = {change.path: change for change in changes(*pair)}
    assert found["cluster.power_cap"] == Change("cluster.power_cap", "400 W", "200 W")
    assert found["published.power"].after is None
    assert set(found) == {"cluster.power_cap", *(path for path in found if path.startswith("published"))}


def test_other_words_for_the_same_are_no_change(tmp_path):
    """A lock file, with everything written out, means what its spec means."""
    spec = load(EXAMPLES / "tiny-cpu.yaml").spec
    assert changes(spec, spec) == []
    one, other = ["data.train=[a]", "cluster.gpus=2"], ["data.train={path: a}"]
    path = EXAMPLES / "tiny-cpu.yaml"
    assert changes(load(path, one).spec, load(path, other).spec) == []


def test_a_lower_cap_takes_longer_and_less_energy(pair):
    """The effects go through the estimator, and are compared figure by figure."""
    found = {effect.name: effect for effect in effects(*pair)}
    assert found["step"].ratio > 1.2
    assert found["energy"].ratio < 1
    assert found["memory a device"].ratio == 1


def test_an_unknown_figure_has_no_ratio():
    """Unknown is not zero, and not the same."""
    assert Effect("carbon", "t", None, 3.0).ratio is None
    assert Effect("carbon", "t", 2.0, 3.0).ratio == 1.5

"""Promises of the scaling curves."""

from __future__ import annotations

import pytest

from trainwright.compiler.help.scaling import caps, counts, scaling, setups
from trainwright.spec.problem import InputError
from trainwright.spec.scaling import Setup
from trainwright.tests.compiler.specs import loaded


def _spec(name="llama2-7b"):
    return loaded(name).spec


def test_roce_at_350_watts_is_about_nine_tenths_of_infiniband_at_400():
    """Llama 2, section 2.2.1: up to 90%, up to 2,000 GPUs; most of it is the cap."""
    curves = [Setup("infiniband", 400.0), Setup("roce", 350.0), Setup("roce", 400.0)]
    for devices in (128, 1024, 2048):
        speeds = [p.estimate.tokens_per_second.value for p in scaling(loaded("llama2-7b"), [devices], curves)]
        assert speeds[1] / speeds[0] == pytest.approx(0.90, abs=0.04)
        assert speeds[2] / speeds[0] > 0.95


def test_efficiency_falls_with_devices():
    """Strong scaling: tokens per second rise, tokens per second and device fall."""
    speeds = [
        p.estimate.tokens_per_second.value
        for p in scaling(loaded("llama2-7b"), [64, 512, 1024], setups(_spec(), [], []))
    ]
    assert speeds == sorted(speeds)
    assert speeds[2] / 1024 < speeds[0] / 64


def test_points_that_cannot_run_say_why():
    """70B on eight devices has no estimate but a reason."""
    (point,) = scaling(loaded("llama2-70b"), [8], setups(_spec("llama2-70b"), [], []))
    assert point.estimate is None
    assert "fits" in point.reason


def test_a_point_that_check_would_refuse_has_its_reason():
    """A cap below the device's lowest, devices that do not fill nodes: the words of the rule, and no estimate."""
    spec = loaded("llama2-7b")
    (low,) = scaling(spec, [64], [Setup("infiniband", 50.0)])
    (odd,) = scaling(spec, [100], [Setup("infiniband", 400.0)])
    assert (low.estimate, odd.estimate) == (None, None)
    assert "takes a cap from 100 W" in low.reason
    assert "do not fill nodes" in odd.reason


@pytest.mark.parametrize(("text", "found"), [("8..64", [8, 16, 32, 64]), ("8,100", [8, 100]), ("8..9", [8])])
def test_counts_are_doublings_or_lists(text, found):
    """The two forms."""
    assert counts(text) == found


@pytest.mark.parametrize("text", ["", "0", "-8..64", "8..", "a,b", "64..8", "9999999999"])
def test_bad_counts_are_refused(text):
    """An error with the forms."""
    with pytest.raises(InputError, match="TW871"):
        counts(text)


@pytest.mark.parametrize("text", ["400", "0W", "-3W", "fast", "400W,,350W"])
def test_bad_caps_are_refused(text):
    """A cap has a unit and is positive."""
    with pytest.raises(InputError, match="TW872"):
        caps(text)


def test_unknown_fabric_is_refused():
    """A fabric of the language."""
    with pytest.raises(InputError, match="TW873"):
        setups(_spec(), ["pigeons"], [])

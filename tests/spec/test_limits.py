"""Promises of limits as values."""

from __future__ import annotations

import pytest

from trainwright.spec.estimate import Limit, Range
from trainwright.spec.limits import Limits


@pytest.mark.parametrize(
    ("most", "verdict"), [(9.0, "broken"), (10.0, "at risk"), (25.0, "at risk"), (30.0, "kept"), (31.0, "kept")]
)
def test_a_limit_is_judged_by_the_whole_range(most, verdict):
    """Below the range it is broken, inside at risk, from the upper end on kept."""
    found = Range(value=20.0, low=10.0, high=30.0)
    assert Limit.of("days", most, found).verdict == verdict


def test_what_is_unknown_is_neither_kept_nor_broken():
    """No figure, no verdict."""
    limit = Limit.of("energy", 1.0, None)
    assert (limit.verdict, limit.found_text) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ({"days": 40}, 40.0), ({"days": "40 days"}, 40.0), ({"days": "2 weeks"}, 14.0), ({"carbon": "300 kg"}, 0.3),
        ({"energy": "1.5 MWh"}, 1500.0), ({"cost": "2M USD"}, 2e6), ({"cost": "900 k USD"}, 9e5),
        ({"memory": "60 GiB"}, 60 * 2**30), ({"site_power": "205 kW"}, 205e3),
    ],
)  # fmt: skip
def test_limits_are_read_in_their_units(written, value):
    """Each in its own, as base units."""
    limits = Limits.model_validate(written, context={"units": True})
    assert list(limits.given.values()) == [pytest.approx(value)]


def test_a_range_is_printed_in_one_unit():
    """The unit that fits the value, for the bounds as well."""
    limit = Limit.of("carbon", 1.0, Range(value=0.5, low=0.2, high=1.5))
    assert limit.found_text == "500 (200 to 1,500) kgCO2eq"
    assert Limit.of("site_power", 1.0, Range(value=204800.0, low=204800.0, high=204800.0)).found_text == "205 kW"

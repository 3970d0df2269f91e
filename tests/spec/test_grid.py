"""Promises of the carbon intensity table."""

from __future__ import annotations

import pytest

from trainwright.spec.emissions import intensity, nearest_places, places
from trainwright.spec.facts import facts
from trainwright.spec.problem import InputError


def test_virginia_is_its_grid_subregion():
    """us-va lies in SERC Virginia/Carolina: (637.4 + 27 x 0.047 + 273 x 0.007) lb/MWh of EPA's hub for 2026."""
    found = intensity("us-va")
    assert found.place == "us-srvc"
    assert found.kg_per_kwh == pytest.approx((637.4 + 27 * 0.047 + 273 * 0.007) * 0.45359237 / 1000, abs=1e-4)
    assert "EPA" in found.source


@pytest.mark.parametrize(
    "place",
    ["fr", "de", "us", "gb", "uk", "se", "no", "in", "cn", "pl", "ie", "nl", "be", "fi", "ca", "jp", "sg", "au"],
)
def test_countries_have_a_dated_source(place):
    """Each figure says its year, title and licence, and is a plausible intensity."""
    found = intensity(place)
    assert 0.005 < found.kg_per_kwh < 1.2
    assert "2024" in found.source
    assert "CC BY" in found.source


def test_every_alias_leads_to_a_place():
    """No name of the table points nowhere."""
    for place in places():
        assert intensity(place).kg_per_kwh > 0


def test_an_unknown_place_is_an_error_with_neighbours():
    """Never another place's number."""
    with pytest.raises(InputError) as refused:
        intensity("us-vq")
    assert refused.value.problems[0].path == "carbon.region"
    assert "us-va" in refused.value.problems[0].help


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Norway", "Did you mean no (Norway)?"),
        ("germany", "Did you mean de (Germany)?"),
        ("virginia", "Did you mean us-srvc (SERC Virginia/Carolina)?"),
        ("us-east-1", "Did you mean aws-us-east-1 or "),
        ("united states", "us (United States)"),
        ("xyzzy", "Name a country (fr, de, us) or give `intensity`."),
    ],
)
def test_a_place_is_found_by_its_name(said, meant):
    """Whoever writes a country out is told its code, not a code that happens to look alike."""
    assert meant in nearest_places(said)


def test_sources_carry_licences():
    """Every source of the table says its licence."""
    assert all(source["licence"] for source in facts("grid")["sources"].values())

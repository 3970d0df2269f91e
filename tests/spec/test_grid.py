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
    assert "us-va" in refused.value.problems[0].remedy


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


@pytest.mark.parametrize(
    ("place", "year", "value"),
    [("fr", 2022, 0.07881), ("us-ia", 2021, 0.455), ("fr", 2024, 0.04418), ("au", 2022, 0.57035)],
)
def test_a_run_is_counted_with_its_own_year(place, year, value):
    """France of 2022 emitted nearly twice as much as in 2024; the source says the year and the method."""
    found = intensity(place, year)
    assert (found.kg_per_kwh, found.year) == (value, year)
    assert f"{year}, {found.method}" in found.source


def test_a_year_without_a_figure_is_an_error():
    """Never another year's number; the known ones are named."""
    with pytest.raises(InputError) as refused:
        intensity("fr", 1999)
    assert refused.value.problems[0].path == "carbon.year"
    assert "2022, 2023, 2024" in refused.value.problems[0].remedy


def test_methods_are_told_apart():
    """Countries by life cycle, subregions of the United States by what leaves the stacks."""
    assert {intensity(place).method for place in facts("grid")["countries"]} == {"life cycle"}
    assert {intensity(place, 2022).method for place in facts("grid")["subregions"]} == {"direct"}


def test_cyprus_and_the_cayman_islands_are_two_places():
    """Two codes, each with its own figure."""
    assert (intensity("cy").title, intensity("ky").title) == ("Cyprus", "Cayman Islands")

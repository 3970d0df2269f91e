"""Intensities by the hour: four formats, zones and clock changes right, gaps and doubles refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from trainwright.compiler.schedule.hourly_file import read_hourly
from trainwright.compiler.schedule.propose import window
from trainwright.spec.problem import InputError

BRUSSELS = ZoneInfo("Europe/Brussels")
SPRING, AUTUMN = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)


def _hours(first, count=26):
    return [first + timedelta(hours=hour) for hour in range(count)]


def _ours(first, zone=UTC):
    rows = [f"{hour.astimezone(zone).isoformat()},{0.1 + index / 100:.2f}" for index, hour in enumerate(_hours(first))]
    return "begin,kg_per_kwh\n" + "\n".join(rows) + "\n"


def _maps(first):
    head = (
        "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
        "Carbon intensity gCO₂eq/kWh (Life cycle),Data source"
    )
    rows = [
        f"{hour:%Y-%m-%d %H:%M:%S},France,France,FR,9,{100 + 10 * index},ENTSOE"
        for index, hour in enumerate(_hours(first))
    ]
    return "\n".join([head, *rows]) + "\n"


def _entsoe(first):
    """Nuclear and gas in equal parts; local times, as its export has them."""
    head = "Area,MTU (CET/CEST),Fossil Gas - Actual Aggregated [MW],Nuclear - Actual Aggregated [MW],Hydro Pumped Storage - Actual Aggregated [MW]"  # noqa: E501 - as exported
    rows = []
    for hour in _hours(first):
        begin, end = (moment.astimezone(BRUSSELS) for moment in (hour, hour + timedelta(hours=1)))
        rows.append(f"BZN|BE,{begin:%d.%m.%Y %H:%M} - {end:%d.%m.%Y %H:%M},500,500,n/e")
    return "\n".join([head, *rows]) + "\n"


def _eia(first):
    head = (
        "Balancing Authority,Hour Number,Local Time at End of Hour,UTC Time at End of Hour,"
        "Net Generation (MW) from Coal,Net Generation (MW) from Coal (Adjusted),Net Generation (MW) from Solar"
    )
    rows = []
    for hour in _hours(first):
        end = hour + timedelta(hours=1)
        rows.append(f'ERCO,1,x,{end:%m/%d/%Y %I:%M:%S %p},"9,999","1,000","1,000"')
    return "\n".join([head, *rows]) + "\n"


def _read(tmp_path, text, zone=None):
    path = tmp_path / "hours.csv"
    path.write_text(text, encoding="utf-8")
    return read_hourly(path, zone)


@pytest.mark.parametrize("first", [SPRING, AUTUMN])
def test_hours_stay_hours_when_clocks_are_set(tmp_path, first):
    """Local times around both changes of a year, in ours and in ENTSO-E's, are 26 hours one after the other."""
    for text, zone in ((_ours(first, BRUSSELS), None), (_maps(first), None), (_entsoe(first), BRUSSELS)):
        found = _read(tmp_path, text, zone)
        assert (found.begin, found.step, len(found.values)) == (first.timestamp(), 3600.0, 26)


def test_values_are_those_of_the_source(tmp_path):
    """Life cycle in kg; of ENTSO-E and the EIA the mean of fuels by what they generate, storage left out."""
    assert _read(tmp_path, _ours(SPRING)).values[:2] == (0.1, 0.11)
    assert _read(tmp_path, _maps(SPRING)).values[:2] == (0.1, 0.11)
    assert _read(tmp_path, _entsoe(SPRING), BRUSSELS).values[0] == pytest.approx((0.49 + 0.012) / 2)
    eia = _read(tmp_path, _eia(SPRING))
    assert (eia.begin, eia.values[0]) == (SPRING.timestamp(), pytest.approx((0.82 + 0.048) / 2))


def test_a_window_has_the_mean_of_each_hour(tmp_path):
    """From any moment within the file; beyond it nothing is made up."""
    found = _read(tmp_path, _ours(SPRING))
    assert window(found, SPRING.timestamp() + 1800, None).intensity[:2] == pytest.approx((0.105, 0.115))
    assert found.mean(found.begin, found.end) == pytest.approx(sum(found.values) / 26)
    with pytest.raises(InputError, match="TW896"):
        window(found, SPRING.timestamp(), 3)


def _without(text, line):
    lines = text.splitlines(keepends=True)
    return "".join(lines[:line] + lines[line + 1 :])


def _twice(text, line):
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: line + 1], *lines[line:]])


BAD = {
    "a gap": (_without(_ours(SPRING), 5), "TW895", "no intensity from 2026-03-29 03:00Z to 2026-03-29 04:00Z"),
    "twice": (_twice(_maps(SPRING), 5), "TW895", "2026-03-29 03:00Z stands twice"),
    "no offset": (_ours(SPRING).replace("+00:00", ""), "TW891", "no offset"),
    "no number": (_ours(SPRING).replace("0.14", ""), "TW891", "is a gap"),
    "negative": (_ours(SPRING).replace("0.14", "-0.14"), "TW891", "negative"),
    "local times": (_entsoe(SPRING), "TW895", "without a zone"),
    "another file": ("a,b\n1,2\n", "TW895", "no carbon intensity"),
    "an unknown fuel": (_eia(SPRING).replace("from Solar", "from Dilithium"), "TW895", "Dilithium"),
    "two places": (_eia(SPRING).replace("ERCO", "MISO", 1), "TW895", "2 balancing authorities"),
    "nothing generated": (_entsoe(SPRING).replace("500,500", "0,n/e", 1), "TW895", "without a zone"),
    "one hour": ("begin,kg_per_kwh\n2026-01-01T00:00Z,0.1\n", "TW895", "fewer than two"),
    "mixed spans": (
        "begin,kg_per_kwh\n2026-01-01T00:00Z,1\n2026-01-01T01:00Z,1\n2026-01-01T01:15Z,1\n",
        "TW895",
        "900",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_hours_that_are_not_there_are_refused(tmp_path, name):
    """Gaps, doubles, and whatever leaves open which hour is meant."""
    text, code, words = BAD[name]
    with pytest.raises(InputError, match=code) as caught:
        _read(tmp_path, text)
    assert words in caught.value.problems[0].message

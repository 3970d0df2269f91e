"""Schedules: within 1% of the best of their class, on windows that can be tried out and on years that cannot."""

from __future__ import annotations

import math
import random
from itertools import product

import pytest

from trainwright.compiler.schedule.optimize import Setting, account, cheapest, contiguous, price_of_work

CAPS = ((400, 1.0, 410.0), (300, 0.867, 315.0), (250, 0.784, 258.0), (200, 0.629, 208.0))


def _settings(hours, count=4):
    """The caps of an A100, fastest done after so many hours."""
    return [Setting(str(cap), work / hours, kwh) for cap, work, kwh in CAPS[:count]]


@pytest.mark.parametrize("seed", range(20))
def test_the_best_of_all_schedules_of_a_short_window_is_found(seed):
    """Every choice of pause and two caps in each hour is tried; none is better by more than 1%."""
    chance = random.Random(seed)  # noqa: S311 - hours to try
    intensity = [chance.uniform(0.03, 0.6) for _ in range(7)]
    settings, resume = _settings(chance.uniform(2.2, 4.5), 2), chance.choice((0.0, 0.05, 0.25))
    every = (account(choice, intensity, resume) for choice in product([None, *settings], repeat=len(intensity)))
    best = min((found.kg for found in every if found), default=None)
    found = cheapest(settings, intensity, resume)
    assert (found is None) == (best is None)
    assert found is None or found.kg <= best * 1.01


def _year(kind):
    """Intensities of 8,760 hours: sunny, windy, or a flat grid with noise."""
    chance = random.Random(kind)  # noqa: S311 - a year to try
    waves = {"solar": (0.18, 0.0), "wind": (0.02, 0.2), "flat": (0.0, 0.0)}[kind]
    return [
        max(0.01, 0.3 + waves[0] * math.sin(h / 12 * math.pi) + waves[1] * math.sin(h / 55) + chance.gauss(0, 0.02))
        for h in range(8760)
    ]


@pytest.mark.parametrize("kind", ["solar", "wind", "flat"])
def test_a_month_of_a_synthetic_year_is_within_a_percent_of_the_bound(kind):
    """Twelve days of work in thirty: no schedule is below the bound, and ours is at most 1% above it."""
    intensity = _year(kind)[3000:3720]
    settings = _settings(12 * 24)
    found = cheapest(settings, intensity, 0.125)
    _, bound = price_of_work(settings, intensity, 0.125)
    assert bound * (1 - 1e-9) <= found.kg <= bound * 1.01
    assert found.kg <= contiguous(settings[0], intensity, 0.125).kg


def test_what_is_proposed_does_all_work_and_costs_what_it_says():
    """The hours, counted again, do the whole run; energy is hours times draw."""
    settings, intensity = _settings(20.0), [0.2, 0.5] * 30
    found = cheapest(settings, intensity, 0.1)
    again = account(found.settings, intensity, 0.1)
    assert again == found
    used = sum(setting.kwh for setting in found.settings[:-1] if setting) + found.last * found.settings[-1].kwh
    assert found.kwh == pytest.approx(used)


def test_a_run_without_pauses_starts_at_the_best_hour():
    """Two cheap hours in the middle of the window are where a run of two hours goes."""
    found = contiguous(_settings(2.0)[0], [0.5, 0.5, 0.1, 0.1, 0.5], 0.0)
    assert (found.first, found.hours, found.pauses) == (2, 4.0, 0)
    assert contiguous(_settings(9.0)[0], [0.5] * 5, 0.0) is None
    assert cheapest(_settings(9.0), [0.5] * 5, 0.0) is None

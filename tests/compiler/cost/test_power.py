"""Promises of the power model."""

from __future__ import annotations

import itertools

import pytest

from trainwright.compiler.cost.power import _curve, average_watts, borrowed, operating_point
from trainwright.spec.facts import facts
from trainwright.spec.hardware import gpu


@pytest.mark.parametrize(
    ("cap", "speed", "watts"), [(400, 1.0, 382), (350, 0.923, 337), (250, 0.784, 245), (100, 0.185, 102)]
)
def test_a100_pretraining_follows_the_measured_curve(cap, speed, watts):
    """The curve of design.md, within one point of throughput and 2% of draw."""
    found = operating_point(gpu("A100"), cap)
    assert found.speed == pytest.approx(speed, abs=0.01)
    assert found.watts == pytest.approx(watts, rel=0.02)


def test_every_curve_is_monotone_and_bounded():
    """More power is never slower, and nothing beats the uncapped device."""
    for name in ("A100", "V100", "A40", "H100", "L40S"):
        chip = gpu(name)
        caps = range(int(chip.power.lowest), int(chip.power.highest) + 1, 5)
        speeds = [operating_point(chip, cap).speed for cap in caps]
        assert speeds == sorted(speeds)
        assert 0 <= speeds[0] < speeds[-1] == pytest.approx(1.0)


def test_leaving_a_measured_point_out_costs_little():
    """Interpolated from the others, each inner point of the A100 curve is met within four points of throughput."""
    points = facts("power")["curves"]["ampere"]["pretraining"]["points"]
    for left in points[1:-1]:
        rest = [point for point in points if point is not left]
        guess = _curve([p[0] for p in rest], [p[1] for p in rest], left[0])
        assert guess == pytest.approx(left[1], abs=0.04)


def test_h100_at_500_watts_is_near_torchtitan():
    """500 W of 700 W: 0.83-0.85 of the speed by torchtitan against AWS; the A100 curve scaled says nearly so."""
    assert operating_point(gpu("H100"), 500).speed == pytest.approx(0.84, abs=0.02)


def test_the_top_of_the_a100_curve_is_concave():
    """Each further watt buys less: no kink where the highest caps were measured."""
    speeds = [operating_point(gpu("A100"), cap).speed for cap in range(200, 401, 50)]
    gains = [after - before for before, after in itertools.pairwise(speeds)]
    assert gains == sorted(gains, reverse=True)


@pytest.mark.parametrize(
    ("name", "matrix", "traffic", "measured"),
    [("A100", 0.85, 0.4, 379), ("A100", 0.44, 0.3, 281), ("H100", 0.72, 0.4, 624), ("H100", 0.72, 0.4, 649)],
)
def test_draw_follows_arithmetic_and_memory(name, matrix, traffic, measured):
    """MPT-13B, a 6B model at ordinary efficiency, and two tuned runs on H100 (Emerald, Dodge 2022, Morrison 2025)."""
    chip = gpu(name)
    assert average_watts(chip, operating_point(chip, None), matrix, traffic) == pytest.approx(measured, rel=0.06)


def test_less_work_draws_less_and_never_less_than_idling():
    """Between idle and full draw, in order of the work."""
    chip = gpu("A100")
    full = operating_point(chip, 400)
    draws = [average_watts(chip, full, matrix, 0.3) for matrix in (0.0, 0.3, 0.6, 2.0)]
    assert chip.power.idle < draws[0] < draws[1] < draws[2] < draws[3] == full.watts


def test_a_family_without_a_curve_borrows_one():
    """Measured families do not; H100 and B200 do."""
    assert [borrowed(gpu(name)) for name in ("A100", "V100", "H100", "B200")] == [False, False, True, True]


def test_a_cpu_has_no_power_curve():
    """What cannot be known is None, not a guess."""
    assert operating_point(gpu("CPU"), 65) is None

"""Promises of planning devices, cap and layout within a site's power."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trainwright.compiler.help.under_power import best_point, caps_of, counts_under, under_power
from trainwright.report.tables.under_power import pareto, shown_points, under_power_table
from trainwright.spec.problem import InputError
from trainwright.tests.compiler.specs import loaded

SITE = "limits.site_power=205 kW"
SMALL = ("cluster.gpus=8", "limits.site_power=2 kW")


@pytest.fixture(scope="module")
def points():
    """Llama 2 70B on 2T tokens within 205 kW."""
    return list(under_power(loaded("llama2-70b", SITE)))


def _days(points, devices, cap):
    (point,) = [p for p in points if (p.devices, p.setup.power_cap) == (devices, cap)]
    return point.estimate.days.value


def test_more_devices_under_a_cap_finish_before_fewer_at_full_power(points):
    """1,024 at 200 W take about 116 days, 512 at 400 W about 148."""
    assert _days(points, 1024, 200) == pytest.approx(116, rel=0.03)
    assert _days(points, 512, 400) == pytest.approx(148, rel=0.03)


def test_no_point_draws_more_than_the_site_gives(points):
    """Devices x cap, whole nodes, and no more devices than the cluster has."""
    for point in points:
        assert point.devices * point.setup.power_cap <= 205e3
        assert point.devices % 8 == 0
        assert point.devices <= 2048


def test_the_chosen_point_is_the_best_of_its_goal(points):
    """The earliest finish, or the least carbon, of all."""
    known = [point.estimate for point in points if point.estimate]
    assert best_point(points, "finish").estimate.days.value == min(found.days.value for found in known)
    assert best_point(points, "carbon").estimate.carbon_tonnes.value == min(f.carbon_tonnes.value for f in known)


def test_other_limits_bind_the_choice():
    """A limit of days that none keeps leaves no choice; one of carbon chooses among those that keep it."""
    assert best_point(list(under_power(loaded("llama2-7b", *SMALL, "limits.days=90"))), "finish") is None
    free = under_power(loaded("llama2-7b", *SMALL))
    limit = sorted(p.estimate.carbon_tonnes.value for p in free if p.estimate)[2]
    found = list(under_power(loaded("llama2-7b", *SMALL, f"limits.carbon={limit} t")))
    best = best_point(found, "finish")
    assert best.estimate.carbon_tonnes.value <= limit
    rows = under_power_table(found, best, "").rows
    assert any("over the limit of carbon" in row[-1].text for row in rows)


def test_the_front_is_what_no_other_beats(points):
    """Along it days rise and carbon falls; everything on it and the first of each cap is shown."""
    front = [(p.estimate.days.value, p.estimate.carbon_tonnes.value) for p in pareto(points)]
    assert front == sorted(front)
    assert [carbon for _, carbon in front] == sorted((carbon for _, carbon in front), reverse=True)
    shown = shown_points(points, None)
    assert {p.setup.power_cap for p in shown} == set(caps_of(loaded("llama2-70b").spec.cluster))
    assert all(point in shown for point in pareto(points))


def test_a_point_with_another_batch_is_not_taken():
    """Seven devices cannot share ten sequences; with eight, a point has the batch that was asked for."""
    found = list(under_power(loaded("llama2-7b", *SMALL, "training.global_batch=40k tokens")))
    made = [point.estimate.sequences_per_step for point in found if point.estimate]
    assert all(abs(sequences * 4096 / 40e3 - 1) <= 0.05 for sequences in made)
    assert [point.reason for point in found if not point.estimate]


@pytest.mark.parametrize("sets", [(), ("limits.days=3",)])
def test_without_the_power_of_the_site_there_is_nothing_to_plan(sets):
    """The error says where to write it."""
    with pytest.raises(InputError, match=r"limits\.site_power"):
        list(under_power(loaded("llama2-70b", *sets)))


def test_processors_take_no_cap():
    """There is nothing to choose."""
    with pytest.raises(InputError, match="takes no power cap"):
        list(under_power(loaded("tiny-cpu", SITE)))


def test_less_than_one_device_gives_no_point():
    """50 W run nothing: no counts, no point, no choice."""
    spec = loaded("llama2-70b", "limits.site_power=50 W")
    assert counts_under(spec.spec.cluster, 50.0, 100.0) == []
    assert list(under_power(spec)) == []
    assert best_point([], "finish") is None


def test_caps_are_those_that_the_device_takes():
    """From the lowest to the highest in steps of 50 W."""
    cluster = loaded("llama2-70b").spec.cluster
    assert caps_of(cluster) == [100, 150, 200, 250, 300, 350, 400]
    assert caps_of(cluster.model_copy(update={"gpu": "H100-SXM5-80GB"}))[-1] == 700


def test_the_picture_is_written_for_any_points(points, tmp_path):
    """With a choice, and without one point that could be planned."""
    from trainwright.report.formats.pareto_plot import write_pareto_plot

    none = [replace(point, estimate=None, reason="too small") for point in points]
    for name, some in (("all.png", points), ("none.svg", none)):
        write_pareto_plot(some, best_point(some, "finish"), "within 205 kW", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000

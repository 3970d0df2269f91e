"""A family of sizes: how loss and hours scale is read off the runs, and only off runs that can be compared."""

from __future__ import annotations

import pytest

from trainwright.report.build import build_report
from trainwright.report.formats.plots import write_plots
from trainwright.report.summary import report_document
from trainwright.report.tables.family import power_law, scaling


@pytest.fixture
def family(whole):
    """A function: a report on one run a size, with losses of 8 x N^-0.05 and hours as N; the last may differ."""

    def make(*sizes, last=None):
        report = build_report([whole])
        (run,) = report.runs
        runs = [
            run.model_copy(
                update={
                    "label": f"size {size}",
                    "parameters": size,
                    "training": run.training.model_copy(update={"tokens": 2e6, "validation_loss": 8 * size**-0.05}),
                    "actual": run.actual.model_copy(update={"device_hours": size * 1e-6}),
                }
            )
            for size in sizes
        ]
        if last:
            training = runs[-1].training.model_copy(update=last)
            runs[-1] = runs[-1].model_copy(update={"training": training})
        return report.model_copy(update={"runs": tuple(runs)})

    return make


def test_a_power_law_is_found_in_its_own_points():
    """Factor and exponent come back; a fit through two sizes, or past an unknown value, is refused."""
    law = power_law([1e6, 2e6, 4e6], [3 * size**-0.2 for size in (1e6, 2e6, 4e6)])
    assert law is not None
    assert (law.factor, law.exponent, law.explained) == pytest.approx((3, -0.2, 1))
    assert power_law([1e6, 2e6, 2e6], [3, 2, 2]) is None
    assert power_law([1e6, 2e6, 4e6], [3, None, 2]) is None
    assert power_law([1e6, 2e6, 4e6], [3, 3, 3]) is None


def test_a_family_of_sizes_gets_its_scaling(family):
    """Rows by size with measured and fitted loss; the notes give the exponents, and say what is unknown."""
    table = scaling(family(4_000_000, 1_000_000, 2_000_000))
    assert table is not None
    assert [row[1].text for row in table.rows] == ["1M", "2M", "4M"]
    assert all(row[2].text == row[3].text for row in table.rows)
    assert "validation loss as N^-0.050 (R2 1.000)" in table.notes[0]
    assert "actual device time as N^1.000" in table.notes[0]
    assert table in report_document(family(1_000_000, 2_000_000, 4_000_000)).tables


@pytest.mark.parametrize("last", [{"tokens": 1e6}, {"tokens": None}])
def test_runs_on_other_tokens_are_no_family(family, last):
    """Sizes are compared after the same tokens only."""
    assert scaling(family(1_000_000, 2_000_000, 4_000_000, last=last)) is None


def test_one_run_or_two_have_no_scaling(family):
    """Two points lie on every line."""
    assert scaling(family(1_000_000)) is None
    assert scaling(family(1_000_000, 2_000_000)) is None


def test_a_level_that_all_runs_share_is_drawn_once(family, tmp_path):
    """The figure of a family names each run, and the loss of token frequencies a single time."""
    document = report_document(family(1_000_000, 2_000_000, 4_000_000))
    write_plots(document.series, tmp_path, everything=False)
    assert (tmp_path / "loss.svg").read_text().count(">token frequencies alone<") == 1
    assert (tmp_path / "loss.svg").read_text().count(">size 2000000<") == 1

"""Promises of the predicted final loss."""

from __future__ import annotations

import numpy as np
import pytest

from trainwright.compiler.cost.loss import final_loss
from trainwright.spec.facts import figures

LAW = figures("loss_law")


@pytest.mark.parametrize("run", LAW["runs"], ids=lambda run: run["name"])
def test_published_runs_of_a_llama_like_mix_lie_in_the_range(run):
    """Also those that the law was not fitted to."""
    found = final_loss(int(run["parameters"]), run["tokens"])
    assert found is not None
    assert found.low <= run["loss"] <= found.high


def test_the_law_is_the_least_squares_fit_to_the_runs_that_say_so():
    """Nobody typed E and A: they follow from the published law's exponents and these losses."""
    fitted = [run for run in LAW["runs"] if run["fitted"]]
    terms = np.array([[1.0, run["parameters"] ** -LAW["alpha"]] for run in fitted])
    rest = [run["loss"] - LAW["B"] / run["tokens"] ** LAW["beta"] for run in fitted]
    assert np.linalg.lstsq(terms, np.array(rest), rcond=None)[0] == pytest.approx((LAW["E"], LAW["A"]), rel=1e-3)


def test_nothing_is_claimed_far_outside():
    """Twice the range outside the fitted sizes, unknown ten times beyond them."""
    inside, outside = final_loss(6_738_415_616, 1e12), final_loss(68_976_648_192, 2e12)
    assert inside is not None
    assert outside is not None
    assert outside.high - outside.low == pytest.approx(2 * (inside.high - inside.low))
    assert final_loss(2_000_000, 1e6) is None

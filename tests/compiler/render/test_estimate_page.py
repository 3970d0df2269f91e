"""estimate.md: figures that a reviewer reads without counting zeros."""

from __future__ import annotations

from pathlib import Path

from trainwright.compiler.load import load
from trainwright.compiler.plan.estimate import predict
from trainwright.compiler.render.estimate_page import estimate_page

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_a_small_run_has_units_that_fit() -> None:
    """Minutes, Wh and milligrams, not powers of ten of days, kWh and tonnes."""
    page = estimate_page(predict(load(EXAMPLES / "tiny-cpu.yaml").spec))
    assert "e-0" not in page
    assert all(row in page for row in ("| Time (min) |", "| Energy (Wh) |", "| Carbon (mgCO2eq) |"))


def test_without_a_cap_the_default_limit_is_said() -> None:
    """A reviewer sees what a device may draw also where the spec sets no cap."""
    estimate = predict(load(EXAMPLES / "llama2-7b.yaml").spec)
    assert "| Power cap | 400 W |" in estimate_page(estimate)
    uncapped = estimate.model_copy(update={"power_cap_watts": None})
    assert "| Power cap | none (default limit 400 W) |" in estimate_page(uncapped)

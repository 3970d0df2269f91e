"""estimate.md: figures that a reviewer reads without counting zeros."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.compiler.load import load
from trainwright.compiler.plan.estimate import predict
from trainwright.report.formats.markdown import document_markdown
from trainwright.report.tables.estimate import estimate_document, parts_table

EXAMPLES = Path(__file__).parents[2] / "examples"


def estimate_page(estimate) -> str:
    """The text of estimate.md."""
    return document_markdown(estimate_document(estimate))


def test_a_small_run_has_units_that_fit() -> None:
    """Minutes, Wh and milligrams, not powers of ten of days, kWh and tonnes."""
    page = estimate_page(predict(load(EXAMPLES / "tiny-cpu.yaml").spec))
    assert "e-0" not in page
    assert all(row in page for row in ("| Time (min) |", "| Energy of devices (Wh) |", "| Carbon (mgCO2eq) |"))


def test_without_a_cap_the_default_limit_is_said() -> None:
    """A reviewer sees what a device may draw also where the spec sets no cap."""
    estimate = predict(load(EXAMPLES / "llama2-7b.yaml").spec)
    assert "| Power cap (W) | 400 |" in estimate_page(estimate)
    uncapped = estimate.model_copy(update={"power_cap_watts": None})
    assert "| Power cap (W) | none (default limit 400) |" in estimate_page(uncapped)


def test_parts_say_what_memory_and_a_step_are_made_of() -> None:
    """Each part with its unit and its share; the shares of memory add to the whole."""
    table = parts_table(predict(load(EXAMPLES / "llama2-7b.yaml").spec))
    shares = [row[3].value for row in table.rows if row[0].text == "memory"]
    assert sum(shares) == pytest.approx(1.0)
    assert table.rows[0][2].text.endswith("GiB")

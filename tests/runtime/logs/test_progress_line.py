"""The live line of a run, as it stands in a log file."""

from __future__ import annotations

import pytest

from trainwright.compiler.plan.layout_search import choose
from trainwright.compiler.plan.lower import lower
from trainwright.runtime.logs.progress_line import ProgressLine
from trainwright.spec.events import from_json
from trainwright.tests.compiler.specs import loaded

STEP = {"kind": "step", "step": 1, "loss": 6.5, "tokens_per_second": 5000.0, "mfu": None}


@pytest.fixture
def said(capsys):
    """What a run says of an event."""
    spec = loaded("tiny-cpu")
    plan = lower(spec, choose(spec.spec))
    line = ProgressLine(plan, 0, plan.schedule.steps)

    def say(event):
        line.show(from_json(event))
        return capsys.readouterr().err

    yield say
    line.close()


@pytest.mark.parametrize(
    ("kwh", "words"),
    [(2e-5, "0.0200 Wh, 0.884 mgCO2eq"), (0.5, "500 Wh, 22.1 gCO2eq"), (7e5, "700,000 kWh, 30.9 tCO2eq")],
)
def test_energy_and_carbon_are_told_in_units_that_fit(said, kwh, words):
    """From a laptop to a cluster: never 0.0 g of something, never millions of watt-hours."""
    assert words in said({**STEP, "energy_kwh": kwh})


def test_unknown_energy_is_not_zero(said):
    """Without a reading there is a word."""
    assert "energy unknown" in said({**STEP, "energy_kwh": None})


@pytest.mark.parametrize(("code", "again"), [(75, True), (0, False), (76, False)])
def test_a_run_that_can_go_on_says_so(said, code, again):
    """After Ctrl-C the next word is how to continue; not after the end, and not after a divergence."""
    shown = said({"kind": "stop", "step": 41, "reason": "signal", "exit_code": code})
    assert ("run launch again to resume" in shown) == again


NUMBERS = [None, 0.0, 1e300, -1e300, 5e-324, 12.3456]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("kind", ["step", "validation", "checkpoint", "stop", "start", "fault"])
def test_any_number_can_be_shown(said, kind, number):
    """A loss that is no finite number (null in the log), or a huge one, at any event: a line, not a crash."""
    names = ("loss", "tokens_per_second", "mfu", "energy_kwh", "seconds", "bytes", "grad_norm", "power_watts")
    words = {"path": "checkpoints/step-1", "what": "w", "action": "a", "reason": "diverged", "exit_code": 76}
    assert len(said({"kind": kind, "step": 1, **words, **dict.fromkeys(names, number)})) < 1000

"""Learning-rate schedules: each follows its published formula, whatever the run's length."""

from __future__ import annotations

import math

import pytest

from trainwright.spec.plan import Schedule
from trainwright.spec.position import learning_rate
from trainwright.spec.sections import Optimizer


def rates(steps: int, warmup: int, decay: int | None = None, **settings: object) -> list[float]:
    """The rate of each step of a run, the first at index 1."""
    optimizer = Optimizer.model_validate({"learning_rate": 1.0, **settings})
    schedule = Schedule(
        steps=steps,
        warmup_steps=warmup,
        decay_steps=decay,
        sequences_per_step=1,
        tokens_per_step=1,
        validate_every=1,
        checkpoint_every=None,
    )
    return [0.0, *(learning_rate(step, optimizer, schedule) for step in range(1, steps + 1))]


@pytest.mark.parametrize(
    ("style", "halfway"),
    [("linear", 0.5), ("cosine", 0.5), ("minus_sqrt", 1 - math.sqrt(0.5)), (None, 0.5)],
)
def test_wsd_warms_up_stays_at_the_peak_and_decays(style: str | None, halfway: float) -> None:
    """The peak exactly, from the warm-up's last step to the decay's first; the final rate at the end."""
    found = rates(100, 10, 20, schedule="wsd", decay_style=style, final_learning_rate=0.3)
    assert found[5] == pytest.approx(0.5)
    assert set(found[10:81]) == {1.0}
    assert found[90] == pytest.approx(0.3 + 0.7 * halfway)
    assert found[100] == pytest.approx(0.3)
    assert found[80:] == sorted(found[80:], reverse=True)


def test_inverse_sqrt_falls_as_the_root_of_the_step_to_the_final_rate() -> None:
    """Four times the warm-up runs at half the peak; below the final rate it does not go."""
    found = rates(10_000, 100, schedule="inverse_sqrt", final_learning_rate=0.2)
    assert (found[100], found[400], found[10_000]) == (1.0, 0.5, 0.2)
    assert rates(16, 0, schedule="inverse_sqrt", final_learning_rate=0)[16] == 0.25


def test_constant_stays_at_the_peak() -> None:
    """After the warm-up, to the last step."""
    assert set(rates(50, 5, schedule="constant")[5:]) == {1.0}


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_llama_recipe_is_bit_for_bit_its_formula(schedule: str) -> None:
    """Decay from the last step of the warm-up to the last step, as before there were other schedules."""
    for step, rate in enumerate(rates(300, 20, schedule=schedule)[21:], 21):
        done = (step - 20) / 280
        shape = 0.5 * (1 + math.cos(math.pi * done)) if schedule == "cosine" else 1 - done
        assert rate == 0.1 + (1 - 0.1) * shape


@pytest.mark.parametrize(("kind", "half"), [("cosine", 0.55), ("linear", 0.55), ("constant", 1.0)])
def test_the_learning_rate_is_the_papers(kind: str, half: float) -> None:
    """Linear from peak/warmup to the peak, then down to a tenth: half way between at half time."""
    found = rates(2100, 100, learning_rate=3e-4, schedule=kind)
    assert [found[step] / 3e-4 for step in (1, 50, 100, 1100, 2100)] == pytest.approx(
        [0.01, 0.5, 1.0, half, 1.0 if kind == "constant" else 0.1]
    )


def test_without_warmup_the_first_step_has_a_rate() -> None:
    """No division by zero, and no step at rate zero."""
    assert all(rates(1, warmup)[1] > 0 for warmup in (0, 1))

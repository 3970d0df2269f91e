"""Where a run stands and what comes next. Position is counted in samples, the end in tokens.

So a step may hold more or fewer samples than the ones before it, and still none is repeated or lost: the last step
takes what is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .batches import batch_at, count_steps
from .plan import Plan, Schedule
from .sections import Optimizer


@dataclass(frozen=True, slots=True)
class Position:
    """Optimizer steps taken, and samples trained on in them."""

    step: int
    samples: int

    def next_samples(self, plan: Plan) -> range:
        """The places of the next step's samples in the order of training; empty at the end."""
        return range(self.samples, min(self.samples + self.batch(plan), plan.samples))

    def batch(self, plan: Plan) -> int:
        """Sequences of the next step, were it full."""
        return batch_at(plan.schedule.batches, self.samples)

    def steps_left(self, plan: Plan) -> int:
        """Steps that `plan` still asks for."""
        return count_steps(plan.schedule.batches, self.samples, plan.samples)

    def last_step(self, plan: Plan) -> int:
        """The number of the step that the run will end with."""
        return self.step + self.steps_left(plan)

    def learning_rate(self, plan: Plan) -> float:
        """The rate of the next step: the schedule goes by samples, so another batch does not move the run along it."""
        full = plan.schedule.sequences_per_step
        step = self.samples / full + self.batch(plan) / full
        return learning_rate(step, plan.training.optimizer, plan.schedule)


def learning_rate(step: float, settings: Optimizer, schedule: Schedule) -> float:
    """The rate of optimizer step `step` (the first is 1): linear warm-up to the peak, then as the schedule says.

    While the batch warms up, `step` counts samples in full steps. Step `warmup_steps` runs at the peak and step `steps`
    at the final rate (Llama 2, section 2.2). wsd stays at the peak up to its decay (arXiv 2404.06395, section 4;
    minus_sqrt: arXiv 2405.18392, section 3). inverse_sqrt falls as the square root of warmup_steps / step down to the
    final rate (arXiv 1706.03762, section 5.3).
    """
    peak, final = settings.learning_rate, settings.final_share
    warmup, steps = schedule.full_steps(schedule.warmup_steps), schedule.full_steps(schedule.steps)
    if step <= warmup:
        return peak * step / warmup
    if settings.schedule == "constant":
        return peak
    if settings.schedule == "inverse_sqrt":
        return peak * max(final, math.sqrt((warmup or 1) / step))
    start = warmup if schedule.decay_steps is None else max(warmup, steps - schedule.decay_steps)
    if step <= start:
        return peak
    done = min(1.0, (step - start) / max(1, steps - start))
    style = settings.decay_style or "linear" if settings.schedule == "wsd" else settings.schedule
    return peak * (final + (1 - final) * _DECAY[style](done))


_DECAY: Mapping[str, Callable[[float], float]] = {
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
    "linear": lambda done: 1 - done,
    "minus_sqrt": lambda done: 1 - math.sqrt(done),
}

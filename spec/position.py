"""Where a run stands and what comes next. Position is counted in samples, the end in tokens.

So a step may hold more or fewer samples than the ones before it, and still none is repeated or lost: the last step
takes what is left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .plan import Plan, Schedule
from .sections import Optimizer


@dataclass(frozen=True, slots=True)
class Position:
    """Optimizer steps taken, and samples trained on in them."""

    step: int
    samples: int

    def next_samples(self, plan: Plan) -> range:
        """The places of the next step's samples in the order of training; empty at the end."""
        return range(self.samples, min(self.samples + plan.schedule.sequences_per_step, plan.samples))

    def steps_left(self, plan: Plan) -> int:
        """Steps that `plan` still asks for."""
        return max(0, math.ceil((plan.samples - self.samples) / plan.schedule.sequences_per_step))

    def last_step(self, plan: Plan) -> int:
        """The number of the step that the run will end with."""
        return self.step + self.steps_left(plan)

    def learning_rate(self, plan: Plan) -> float:
        """The rate of the next step: the schedule goes by samples, so another batch does not move the run along it."""
        return learning_rate(
            self.samples / plan.schedule.sequences_per_step + 1, plan.training.optimizer, plan.schedule
        )


def learning_rate(step: float, settings: Optimizer, schedule: Schedule) -> float:
    """The rate of optimizer step `step` (the first is 1): linear warm-up to the peak, then decay to the final rate.

    Step `warmup_steps` runs at the peak and step `steps` at the final rate (Llama 2, section 2.2).
    """
    if step <= schedule.warmup_steps:
        return settings.learning_rate * step / schedule.warmup_steps
    if settings.schedule == "constant":
        return settings.learning_rate
    done = (step - schedule.warmup_steps) / max(1, schedule.steps - schedule.warmup_steps)
    done = min(1.0, done)
    shape = 0.5 * (1 + math.cos(math.pi * done)) if settings.schedule == "cosine" else 1 - done
    final = settings.final_share
    return settings.learning_rate * (final + (1 - final) * shape)

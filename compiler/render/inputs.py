"""What every renderer is given: one value, so that rendering stays a pure function."""

from __future__ import annotations

from dataclasses import dataclass

from ...spec.estimate import Estimate
from ...spec.plan import Plan
from ...spec.sections import Spec


@dataclass(frozen=True, slots=True)
class RenderInputs:
    """A compiled spec before it becomes text."""

    spec: Spec
    plan: Plan
    estimate: Estimate

    @property
    def target(self) -> str:
        """What starts the run."""
        return self.spec.launch.target

    @property
    def nodes(self) -> int:
        """Nodes of the run."""
        return self.plan.device.count // self.plan.device.per_node

"""Report stage 3b: the carbon factors of a run, each attempt with those of the plan that it ran with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...spec.emissions import exact_sum
from ...spec.plan import CarbonPlan
from ..values import Attempt
from .attempts import AttemptEvents
from .emissions_row import carbon_of, emitted
from .history import RunHistory

Emissions = Callable[[float | None], float | None]  # tonnes of all energy so far, in kWh


def mean_carbon(found: Sequence[Attempt], history: RunHistory) -> CarbonPlan | None:
    """The factors that give the carbon of all attempts from the energy of all: means by energy where they differ."""
    used = [(a.energy_kwh or 0.0, a.carbon) for a in found if a.carbon]
    last = used[-1][1] if used else history.carbon
    energy = exact_sum([kwh for kwh, _ in used])
    if last is None or not energy or len({(c.pue, c.intensity_kg_per_kwh) for _, c in used}) == 1:
        return last
    at_devices = exact_sum([kwh * carbon.intensity_kg_per_kwh for kwh, carbon in used])
    in_all = exact_sum([kwh * carbon.intensity_kg_per_kwh * carbon.pue for kwh, carbon in used])
    if at_devices is None or in_all is None:
        return last
    means = {"intensity_kg_per_kwh": at_devices / energy, "pue": in_all / at_devices if at_devices else last.pue}
    return last.model_copy(update={**means, "intensity_source": _by_attempt(found)})


def _by_attempt(found: Sequence[Attempt]) -> str:
    """The factors of each attempt, in words."""
    own = [(a.number, a.carbon) for a in found if a.carbon]
    factors = (f"PUE {c.pue:g} and {c.intensity_kg_per_kwh:g} in attempt {number}" for number, c in own)
    return f"means by energy: {', '.join(factors)}"


def emissions(runs: Sequence[AttemptEvents], history: RunHistory) -> Emissions:
    """Cumulative carbon of cumulative energy: the part that an attempt used counts with the attempt's factors."""
    ends = [(run.energy, carbon_of(run.number, history)) for run in runs if run.energy is not None]

    def so_far(energy: float | None) -> float | None:
        if energy is None:
            return None
        total, before = 0.0, 0.0
        for index, (end, carbon) in enumerate(ends or [(energy, history.carbon)]):
            upto = energy if index >= len(ends) - 1 else min(energy, end)
            part = emitted(max(upto - before, 0.0), carbon)
            if part is None:
                return None
            total, before = total + part, max(before, upto)
        return total

    return so_far

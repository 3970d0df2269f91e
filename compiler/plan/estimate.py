"""Stage `estimate`: everything that a spec will cost, before anything runs, each figure with its range.

In: a spec and a layout. Out: `spec.estimate.Estimate`. Pure arithmetic over the facts tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...spec.emissions import carbon_tonnes, energy_kwh, intensity
from ...spec.estimate import Estimate, Part, Range
from ...spec.facts import facts
from ...spec.layout import Layout
from ...spec.problem import InputError
from ...spec.sections import Carbon, Spec
from ..cost.carbon import scopes
from ..cost.case import Case
from ..cost.from_spec import question
from ..cost.goodput import Goodput, goodput
from ..cost.loss import final_loss
from ..cost.memory import memory_bytes
from ..cost.power import average_watts, capped
from ..cost.step import Step, step
from .layout_search import choose

HOUR = 3600.0
DAY_HOURS = 24.0
COMMUNICATION = ("tensor parallel", "parameters", "gradients", "pipeline transfers")
WAITING = ("host", "pipeline bubble", "jitter")


@dataclass(frozen=True, slots=True)
class _Run:
    """The spec's question and its answers, from which each figure is drawn."""

    spec: Spec
    case: Case
    step: Step
    goodput: Goodput

    @property
    def spread(self) -> float:
        """Share by which a step may be longer or shorter: the backtest's 90th percentile, or the CPU's."""
        table = facts("accuracy")
        return table["cpu_step"] if self.spec.cluster.on_cpu else table["step"]


def _around(value: float, spread: float, because: str) -> Range:
    return Range(value=value, low=value / (1 + spread), high=value * (1 + spread), because=because)


def _scaled(value: Range, factor: float, because: str = "") -> Range:
    return Range(
        value=value.value * factor,
        low=value.low * factor,
        high=value.high * factor,
        because=because or value.because,
    )


def factors(carbon: Carbon) -> tuple[float, str]:
    """Carbon intensity in kg/kWh and its source: the spec's own value wins. Raises InputError when neither is given."""
    if carbon.intensity is not None:
        return carbon.intensity, "given in the spec"
    if carbon.region is None:
        remedy = "write carbon.intensity (385 g/kWh), or carbon.region (us-va)"
        raise InputError.one("TW847", "the carbon intensity of the electricity is not given", remedy, "carbon")
    found = intensity(carbon.region)
    return found.kg_per_kwh, found.source


def _why(run: _Run) -> str:
    if run.spec.cluster.on_cpu:
        return "the speed of this processor is not known"
    parts = run.step.parts
    largest = max(parts, key=lambda name: parts[name])
    names = {"compute": "matrix multiplication efficiency of the software"}
    return f"{names.get(largest, largest)} ({parts[largest] / run.step.seconds:.0%} of a step)"


def _hours(run: _Run) -> Range:
    """Device hours in all: steps, over the share of time that trains."""
    spec, per_step = run.spec, run.case.work.tokens
    hours = spec.data.tokens / per_step * run.step.seconds / HOUR * spec.cluster.gpus
    good = run.goodput
    return Range(
        value=hours / good.value,
        low=hours / (1 + run.spread) / good.high,
        high=hours * (1 + run.spread) / good.low,
        because=_why(run),
    )


def _power(run: _Run) -> Range | None:
    """Average draw of one device: by how busy it is, never simply the cap."""
    cluster, chip = run.spec.cluster, run.case.machine.gpu
    limit = capped(chip, cluster.power_cap)
    if limit is None:
        if cluster.device_power is None:
            return None
        return _around(cluster.device_power, facts("accuracy")["cpu_power"], "given in the spec, not measured")
    shares = {name: value / run.step.seconds for name, value in run.step.parts.items()}
    activity = {
        "communication": sum(shares.get(name, 0.0) for name in COMMUNICATION),
        "waiting": sum(shares.get(name, 0.0) for name in WAITING),
    }
    activity["compute"] = 1 - sum(activity.values())
    watts = average_watts(chip, limit, activity)
    spread = facts("power")["spread"]
    high = min(watts * (1 + spread), cluster.power_cap or chip.power.highest) if chip.power else watts
    return Range(value=watts, low=watts * (1 - spread), high=max(watts, high), because="how busy the device is")


def _times(hours: Range, watts: Range | None) -> Range | None:
    if watts is None:
        return None
    wider = hours if hours.high / hours.low > watts.high / watts.low else watts
    return Range(
        value=energy_kwh(hours.value, watts.value),
        low=energy_kwh(hours.low, watts.low),
        high=energy_kwh(hours.high, watts.high),
        because=wider.because,
    )


def _memory(run: _Run) -> tuple[Range, tuple[Part, ...]]:
    parts = memory_bytes(run.case)
    largest = max(parts, key=lambda name: parts[name])
    total = _around(sum(parts.values()), facts("accuracy")["memory"], f"mostly {largest}")
    return total, tuple(Part(name=name, value=value) for name, value in parts.items() if value)


def _limit(run: _Run) -> float | None:
    """What a device may draw: the power cap, or without one its default limit, in watts."""
    power = run.case.machine.gpu.power
    return run.spec.cluster.power_cap or (power.default if power else None)


def _paper(run: _Run, hours: Range, kg_per_kwh: float) -> float | None:
    """The paper's way: device hours (published where the spec has them) x power limit x PUE x intensity."""
    published, spec = run.spec.published, run.spec
    watts = published.power if published else _limit(run) or spec.cluster.device_power
    if watts is None:
        return None
    return carbon_tonnes(
        energy_kwh(published.gpu_hours if published else hours.value, watts), spec.carbon.pue, kg_per_kwh
    )


def _notes(run: _Run) -> tuple[str, ...]:
    good = run.goodput
    notes = [
        f"Hours include a goodput of {good.value:.1%} ({good.low:.1%} to {good.high:.1%}): failures, restarts, saves."
    ]
    if beyond := _unseen(run):
        notes.append(f"Extrapolated: no published run with {', '.join(beyond)} was compared; trust the range less.")
    if run.spec.published:
        notes.append(f"Published figures: {run.spec.published.source}.")
    return tuple(notes)


def _unseen(run: _Run) -> list[str]:
    """What of the question lies outside of the rows that the model was compared with; nothing for processors."""
    if run.spec.cluster.on_cpu:
        return []
    seen, chip = facts("accuracy")["seen"], run.case.machine.gpu
    devices, shape, sequence = run.spec.cluster.gpus, run.spec.model.shape, run.spec.training.sequence_length
    return [
        *([f"a {chip.name}"] if chip.family not in seen["families"] else []),
        *([f"{devices:,} devices"] if devices > seen["devices"] else []),
        *([f"{shape.parameters:,} parameters"] if not _within(shape.parameters, seen["parameters"]) else []),
        *([f"sequences of {sequence:,}"] if not _within(sequence, seen["sequence"]) else []),
    ]


def _within(value: float, limits: list[float]) -> bool:
    return limits[0] <= value <= limits[1]


def predict(spec: Spec) -> Estimate:
    """The estimate of a spec in the layout that the planner chooses. Raises InputError where there is none."""
    return estimate(spec, choose(spec))


def estimate(spec: Spec, layout: Layout) -> Estimate:
    """Predict everything about training `spec` with `layout`."""
    case = question(spec, layout)
    interval = spec.training.checkpoint.every
    seconds = interval.value if interval.unit == "seconds" else None
    taken = step(case)
    if interval.unit == "steps":
        seconds = interval.value * taken.seconds
    lost = goodput(spec.cluster.gpus, spec.cluster.gpus_per_node, spec.model.shape.parameters, seconds)
    run = _Run(spec, case, taken, lost)
    return _assembled(run)


def _assembled(run: _Run) -> Estimate:
    spec, cluster, chip = run.spec, run.spec.cluster, run.case.machine.gpu
    hours, watts = _hours(run), _power(run)
    energy = _times(hours, watts)
    kg_per_kwh, source = factors(spec.carbon)
    rate = _around(run.case.work.tokens / run.step.seconds, run.spread, _why(run))
    peak = chip.peak(spec.training.precision) if not cluster.on_cpu else None
    flops = spec.model.shape.training_flops(spec.training.sequence_length)
    memory, memory_parts = _memory(run)
    published = spec.published
    return Estimate(
        name=spec.name,
        model=spec.model.name,
        cluster=cluster.name,
        device=chip.name,
        devices=cluster.gpus,
        parameters=spec.model.shape.parameters,
        tokens=spec.data.tokens,
        power_cap_watts=cluster.power_cap,
        power_limit_watts=_limit(run),
        layout=run.case.layout.model_dump(),
        step_seconds=_around(run.step.seconds, run.spread, _why(run)),
        tokens_per_second=rate,
        mfu=_scaled(rate, flops / (peak * cluster.gpus)) if peak else None,
        memory_bytes=memory,
        memory_parts=memory_parts,
        memory_limit_bytes=chip.memory_bytes,
        time_parts=tuple(Part(name=name, value=value) for name, value in run.step.parts.items() if value),
        device_hours=hours,
        days=_scaled(hours, 1 / (cluster.gpus * DAY_HOURS)),
        power_watts=watts,
        energy_kwh=energy,
        carbon_tonnes=_scaled(energy, carbon_tonnes(1.0, spec.carbon.pue, kg_per_kwh)) if energy else None,
        paper_carbon_tonnes=_paper(run, hours, kg_per_kwh),
        scope_parts=scopes(spec.carbon, hours.value, energy, kg_per_kwh) if energy else (),
        cost_usd=_scaled(hours, cluster.price) if cluster.price is not None else None,
        water_litres=_scaled(energy, spec.carbon.water) if energy and spec.carbon.water is not None else None,
        goodput=run.goodput.value,
        final_loss=final_loss(spec.model.shape.parameters, spec.data.tokens),
        pue=spec.carbon.pue,
        intensity_kg_per_kwh=kg_per_kwh,
        intensity_source=source,
        published_device_hours=published.gpu_hours if published else None,
        published_carbon_tonnes=published.carbon if published else None,
        published_power_watts=published.power if published else None,
        notes=_notes(run),
    )

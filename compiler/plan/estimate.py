"""Stage `estimate`: everything that a spec will cost, before anything runs, each figure with its range.

In: a spec and a layout. Out: `spec.estimate.Estimate`. Pure arithmetic over the facts tables.
"""

from __future__ import annotations

import math

from ...spec.emissions import carbon_tonnes, energy_kwh
from ...spec.estimate import USD, Estimate, Part, Range
from ...spec.facts import figures
from ...spec.layout import Layout
from ...spec.sections import Spec
from ...spec.step_parts import StepPart
from ...spec.units import DAY, HOUR
from ..cost.carbon import carbon_intensity, scopes
from ..cost.case import StepCase
from ..cost.from_spec import cost_case
from ..cost.goodput import Allocation, goodput
from ..cost.loss import final_loss
from ..cost.memory import memory_bytes
from ..cost.power import average_watts, load, operating_point
from ..cost.spread import spread
from ..cost.step import StepTime, step
from .batch_stages import batch_stages
from .estimate_notes import Answers, notes
from .layout_search import chosen
from .limits import compare_limits


def _around(value: float, spread: float, because: str) -> Range:
    return Range(value=value, low=value / (1 + spread), high=value * (1 + spread), because=because)


def _scaled(value: Range, factor: float, because: str = "") -> Range:
    return Range(
        value=value.value * factor,
        low=value.low * factor,
        high=value.high * factor,
        because=because or value.because,
    )


def _why(run: Answers) -> str:
    if run.spec.cluster.on_cpu:
        return "the speed of this processor is not known"
    parts = run.step.parts
    largest = max(parts, key=lambda name: parts[name])
    names = {StepPart.COMPUTE: "matrix multiplication efficiency of the software"}
    return f"{names.get(largest, largest)} ({parts[largest] / run.step.seconds:.0%} of a step)"


def _hours(run: Answers) -> Range:
    """Device hours in all: steps, over the share of time that trains."""
    spec = run.spec
    training = _training_seconds(run) / HOUR * spec.cluster.gpus
    value, wide = training / run.goodput.value, 1 + spread(run.case, "hours")
    high = max(value * wide, training / run.goodput.low)
    return Range(value=value, low=value / wide, high=high, because=_why(run))


def _training_seconds(run: Answers) -> float:
    """Seconds of all steps, those of a batch warm-up with their own step time."""
    layout, length = run.case.layout, run.spec.training.sequence_length
    seconds, before = 0.0, run.spec.extends_run.tokens if run.spec.extends_run else 0
    for batch in batch_stages(run.spec.training, layout):
        tokens = max(0, min((batch.until or math.inf) * length, run.spec.data.tokens) - before)
        full = batch.sequences == layout.global_batch
        taken = run.step if full else step(cost_case(run.spec, layout.with_batch(batch.sequences), run.stack))
        seconds += tokens / (batch.sequences * length) * taken.seconds
        before += tokens
    return seconds


def _power(run: Answers) -> Range | None:
    """Average draw of one device: by how much it computes and moves, never simply the cap."""
    cluster, gpu = run.spec.cluster, run.case.hardware.gpu
    limit = operating_point(gpu, cluster.power_cap)
    if limit is None or gpu.power is None:
        if cluster.device_power is None:
            return None
        return _around(cluster.device_power, figures("accuracy")["cpu_power"], "given in the spec, not measured")
    watts = average_watts(gpu, limit, *load(run.case, run.step.seconds))
    wide = figures("power")["spread"]
    high = min(watts * (1 + wide), cluster.power_cap or gpu.power.highest)
    because = "arithmetic and memory traffic that the step reaches"
    return Range(value=watts, low=watts * (1 - wide), high=max(watts, high), because=because)


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


def _total(parts: tuple[Part, ...], because: str) -> Range:
    """Carbon of everything that the spec counts."""
    low, value, high = (
        sum(bounds) for bounds in zip(*((p.low or 0, p.value, p.high or 0) for p in parts), strict=True)
    )
    return Range(value=value, low=low, high=high, because=because)


def _memory(run: Answers) -> tuple[Range, tuple[Part, ...]]:
    parts = memory_bytes(run.case)
    largest = max(parts, key=lambda name: parts[name])
    total = _around(sum(parts.values()), spread(run.case, "memory"), f"mostly {largest}")
    return total, tuple(Part(name=name, value=value) for name, value in parts.items() if value)


def _limit(run: Answers) -> float | None:
    """What a device may draw: the power cap, or without one its default limit, in watts."""
    power = run.case.hardware.gpu.power
    return run.spec.cluster.power_cap or (power.default if power else None)


def _paper(run: Answers, hours: Range, kg_per_kwh: float) -> float | None:
    """The paper's way: device hours (published where the spec has them) x power limit x PUE x intensity."""
    published, spec = run.spec.published, run.spec
    watts = published.power if published else _limit(run) or spec.cluster.device_power
    if watts is None:
        return None
    return carbon_tonnes(
        energy_kwh(published.gpu_hours if published else hours.value, watts), spec.carbon.pue, kg_per_kwh
    )


def predict(spec: Spec, stack: str | None = None) -> Estimate:
    """The estimate of a spec in the layout that the planner chooses, run by `stack` (None: this project's runtime).

    Raises InputError where there is no layout, or no such stack.
    """
    found = chosen(spec, stack)
    return estimate(spec, found.best.layout, stack, found.faster_batch(spec))


def estimate(spec: Spec, layout: Layout, stack: str | None = None, batch: str = "") -> Estimate:
    """Predict everything about training `spec` with `layout`; `batch` is a note on batches that would be faster."""
    case = cost_case(spec, layout, stack)
    taken = step(case)
    saved = spec.model.shape.checkpoint_bytes(spec.training.precision)
    whole = Allocation(spec.cluster.gpus, spec.cluster.gpus_per_node, saved)
    found = _assembled(Answers(spec, case, taken, goodput(whole, interval(spec, case, taken)), stack, batch))
    return found.model_copy(update={"limits": compare_limits(spec, found)})


def interval(spec: Spec, case: StepCase, taken: StepTime) -> float | None:
    """Seconds between checkpoints as the spec asks; None where it leaves them to the planner."""
    asked = spec.training.checkpoint.every
    if asked is None or asked.unit == "seconds":
        return asked.value if asked else None
    steps = asked.value if asked.unit == "steps" else asked.value / case.workload.tokens
    return max(1, round(steps)) * taken.seconds


def _assembled(run: Answers) -> Estimate:
    spec, cluster, chip = run.spec, run.spec.cluster, run.case.hardware.gpu
    hours, watts = _hours(run), _power(run)
    energy = _times(hours, watts)
    electricity = carbon_intensity(spec.carbon)
    kg_per_kwh = electricity.kg_per_kwh
    rate = _around(run.case.workload.tokens / run.step.seconds, spread(run.case, "step"), _why(run))
    peak = chip.peak(spec.training.precision) if not cluster.on_cpu else None
    flops = spec.model.shape.training_flops(spec.training.sequence_length)
    causal = spec.model.shape.training_flops(spec.training.sequence_length, causal=True)
    memory, memory_parts = _memory(run)
    published = spec.published
    parts = scopes(spec.carbon, hours.value, energy, kg_per_kwh) if energy else ()
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
        step_seconds=_around(run.step.seconds, spread(run.case, "step"), _why(run)),
        tokens_per_second=rate,
        mfu=_scaled(rate, flops / (peak * cluster.gpus)) if peak else None,
        memory_bytes=memory,
        memory_parts=memory_parts,
        memory_limit_bytes=chip.memory_bytes,
        time_parts=tuple(Part(name=name.value, value=value) for name, value in run.step.parts.items() if value),
        device_hours=hours,
        days=_scaled(hours, HOUR / DAY / cluster.gpus),
        power_watts=watts,
        energy_kwh=energy,
        carbon_tonnes=_total(parts, energy.because) if energy else None,
        paper_carbon_tonnes=_paper(run, hours, kg_per_kwh),
        scope_parts=parts,
        cost=_scaled(hours, cluster.price) if cluster.price is not None else None,
        currency=cluster.price.currency if cluster.price is not None else USD,
        water_litres=_scaled(energy, spec.carbon.water) if energy and spec.carbon.water is not None else None,
        goodput=run.goodput.value,
        final_loss=final_loss(spec.model.shape.parameters, spec.data.tokens),
        pue=spec.carbon.pue,
        intensity_kg_per_kwh=kg_per_kwh,
        intensity_source=electricity.source,
        published_device_hours=published.gpu_hours if published else None,
        published_carbon_tonnes=published.carbon if published else None,
        published_power_watts=published.power if published else None,
        notes=notes(run),
        software=run.case.profile.name,
        sequences_per_step=run.case.workload.batch,
        mfu_causal=_scaled(rate, causal / (peak * cluster.gpus)) if peak else None,
        checkpoint_seconds=run.goodput.interval,
    )

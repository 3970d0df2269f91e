"""Stage `lower`: a checked spec and a layout become the plan; amounts become steps, names become numbers.

Takes a `Loaded` spec and a `Layout`, returns a `Plan`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...spec.batches import BatchSteps, count_steps
from ...spec.hardware import gpu
from ...spec.layout import Layout
from ...spec.plan import CarbonPlan, Device, Plan, Schedule
from ...spec.problem import MissedRuleError
from ...spec.quantity import Amount
from ...spec.sections import DEFAULT_DECAY, Carbon, Spec, Training
from ..cost.carbon import carbon_intensity
from ..cost.from_spec import cost_case, rate
from ..cost.goodput import Allocation, best_interval
from ..cost.step import step
from ..load import Loaded
from .batch_stages import batch_stages
from .layouts import BATCH_ROUNDING


def lower(loaded: Loaded, layout: Layout) -> Plan:
    """The plan of `loaded` run with `layout`."""
    spec = loaded.spec
    _require_fit(spec, layout)
    return Plan(
        name=spec.name,
        spec_sha256=loaded.sha256,
        model=spec.model,
        tokenizer=spec.tokenizer,
        data=spec.data,
        training=spec.training.model_copy(update={"compile": spec.compiles}),
        schedule=_schedule(spec, layout),
        layout=layout,
        device=_device(spec),
        carbon=_carbon(spec.carbon),
        logging=spec.logging,
        extends_run=spec.extends_run,
    )


def _require_fit(spec: Spec, layout: Layout) -> None:
    """Raise MissedRuleError for a layout that does not use the cluster, or makes another batch than was asked for."""
    if layout.gpus != spec.cluster.gpus:
        raise MissedRuleError("TW308", f"the layout needs {layout.gpus} devices, the cluster has {spec.cluster.gpus}")
    wanted = spec.training.requested_sequences
    allowed = 0 if spec.training.global_batch.unit == "sequences" else BATCH_ROUNDING
    if abs(layout.global_batch / wanted - 1) > allowed:
        raise MissedRuleError("TW317", f"the layout makes {layout.global_batch} sequences a step, not {wanted:g}")


def _schedule(spec: Spec, layout: Layout) -> Schedule:
    training = spec.training
    per_step = layout.global_batch * training.sequence_length
    batches = batch_stages(training, layout)
    steps = count_steps(batches, 0, math.ceil(spec.data.tokens / training.sequence_length))
    every = training.checkpoint.every or _planned_interval(spec, layout)
    timed = every.unit == "seconds"
    return Schedule(
        steps=steps,
        warmup_steps=min(steps, _warmup_steps(training, batches, per_step)),
        decay_steps=_decay_steps(spec, per_step),
        batch_warmup=batches[:-1],
        inherited_samples=spec.extends_run.tokens // training.sequence_length if spec.extends_run else 0,
        sequences_per_step=layout.global_batch,
        tokens_per_step=per_step,
        validate_every=_steps(training.validation.every, per_step),
        checkpoint_every=None if timed else _steps(every, per_step),
        checkpoint_seconds=every.value if timed else None,
    )


def _warmup_steps(training: Training, batches: Sequence[BatchSteps], tokens_per_step: int) -> int:
    """Steps of the learning rate's warm-up, which a warm-up of the batch makes more of where it is in tokens."""
    warmup = training.optimizer.warmup
    if warmup.unit == "tokens" and len(batches) > 1:
        return count_steps(batches, 0, round(warmup.value / training.sequence_length))
    return _steps(warmup, tokens_per_step, least=0)


def _decay_steps(spec: Spec, tokens_per_step: int) -> int | None:
    """Steps of the decay that ends a wsd schedule; None for another one."""
    optimizer = spec.training.optimizer
    if optimizer.schedule != "wsd":
        return None
    decay = optimizer.decay or DEFAULT_DECAY
    share = decay.value * math.ceil(spec.data.tokens / tokens_per_step)
    return max(1, round(share)) if decay.unit == "share" else _steps(decay, tokens_per_step)


def _planned_interval(spec: Spec, layout: Layout) -> Amount:
    """The steps between checkpoints that lose least to saves and failures together."""
    saved = spec.model.shape.checkpoint_bytes(spec.training.precision)
    whole = Allocation(spec.cluster.gpus, spec.cluster.gpus_per_node, saved)
    steps = best_interval(whole) / step(cost_case(spec, layout)).seconds
    return Amount(value=max(1, round(steps)), unit="steps")


def _steps(amount: Amount, tokens_per_step: int, least: int = 1) -> int:
    count = amount.value if amount.unit == "steps" else amount.value / tokens_per_step
    return max(least, round(count))


def _device(spec: Spec) -> Device:
    cluster, facts = spec.cluster, gpu(spec.cluster.gpu)
    default = facts.power.default if facts.power else None
    return Device(
        kind="cpu" if cluster.on_cpu else "cuda",
        name=facts.name,
        count=cluster.gpus,
        per_node=min(cluster.gpus, cluster.gpus_per_node),
        power_cap_watts=cluster.power_cap,
        power_cap_mode=cluster.power_cap_mode,
        assumed_watts=cluster.device_power or cluster.power_cap or default,
        # The facts hold a typical rate for CPUs, good for a wide estimate but not the peak of this machine's.
        peak_flops=None if spec.cluster.on_cpu else facts.peak(spec.training.precision),
        interconnect=cluster.interconnect.kind,
        link_bandwidth=None if cluster.on_cpu else facts.link or None,
        fabric_bandwidth=rate(cluster.interconnect, cluster.gpus_per_node) or None,
    )


def _carbon(carbon: Carbon) -> CarbonPlan:
    found = carbon_intensity(carbon)
    return CarbonPlan(
        pue=carbon.pue,
        intensity_kg_per_kwh=found.kg_per_kwh,
        intensity_source=found.source,
        place=f"{found.title} ({carbon.region})" if carbon.region else None,
        budget_tonnes=carbon.budget_carbon,
        budget_kwh=carbon.budget_energy,
    )

"""Lowering: amounts become steps, names become numbers, and what does not add up is refused."""

from dataclasses import replace

import pytest

from trainwright.compiler.plan.estimate import predict
from trainwright.compiler.plan.layout_search import choose
from trainwright.compiler.plan.lower import lower
from trainwright.spec.layout import Layout
from trainwright.spec.problem import MissedRuleError
from trainwright.tests.compiler.specs import loaded


def planned(name: str, *sets: str):
    """The plan of an example."""
    found = loaded(name, *sets)
    return lower(found, choose(found.spec))


def test_steps_cover_the_tokens() -> None:
    """The last step is the first at which all tokens of the spec were seen."""
    schedule = planned("llama2-7b").schedule
    assert schedule.tokens_per_step == schedule.sequences_per_step * 4096
    assert (
        (schedule.steps - 1) * schedule.tokens_per_step < 2_000_000_000_000 <= schedule.steps * schedule.tokens_per_step
    )


def test_the_global_batch_is_micro_batch_times_accumulation_times_data() -> None:
    """Every sequence of a step is counted once."""
    plan = planned("tiny-cpu")
    layout = plan.layout
    assert plan.schedule.sequences_per_step == layout.micro_batch * layout.accumulation * layout.data == 16


def test_amounts_in_tokens_become_steps() -> None:
    """Warm-up and intervals may be said in tokens: 40,960 tokens are 10 steps of 4,096."""
    every = "training.checkpoint={every: 40960 tokens}"
    schedule = planned("tiny-cpu", every, "training.optimizer.warmup=8192 tokens").schedule
    assert (schedule.checkpoint_every, schedule.checkpoint_seconds, schedule.warmup_steps) == (10, None, 2)


def test_a_checkpoint_distance_in_time_stays_a_time() -> None:
    """How many steps fit into half an hour is known only when they run."""
    schedule = planned("tiny-cpu", "training.checkpoint={every: 30 min}").schedule
    assert (schedule.checkpoint_every, schedule.checkpoint_seconds) == (None, 1800.0)


def test_warm_up_ends_with_the_run() -> None:
    """A warm-up longer than the run is cut to it."""
    schedule = planned("tiny-cpu", "data.tokens=8192 tokens", "training.optimizer.warmup=50 steps").schedule
    assert (schedule.steps, schedule.warmup_steps) == (2, 2)


def test_the_device_carries_its_cap_and_peak() -> None:
    """The runtime learns the cap and the peak of the precision it trains in (A100: 312 TFLOP/s in bf16)."""
    device = planned("llama2-34b").device
    assert (device.kind, device.power_cap_watts, device.peak_flops, device.per_node) == ("cuda", 350.0, 312e12, 8)


def test_a_region_becomes_its_intensity_and_source() -> None:
    """The plan holds the number and where it comes from, not a name to look up later."""
    carbon = planned("tiny-cpu").carbon
    assert 0.01 < carbon.intensity_kg_per_kwh < 0.1
    assert "France" in carbon.intensity_source
    assert carbon.place == "France (fr)"


@pytest.mark.parametrize(
    ("layout", "code"),
    [
        (Layout(data=4, micro_batch=1, accumulation=4), "TW308"),
        (Layout(data=2, micro_batch=3, accumulation=3), "TW317"),
    ],
)
def test_a_layout_that_does_not_add_up_is_our_fault(layout: Layout, code: str) -> None:
    """Ranks must equal devices, and the batch what was asked for; the rule that should have said so is named."""
    with pytest.raises(MissedRuleError) as caught:
        lower(loaded("tiny-cpu"), layout)
    assert caught.value.rule == code


def test_an_unknown_intensity_is_never_invented() -> None:
    """Without intensity and region there is no number; TW211 says so before a plan is made."""
    found = loaded("tiny-cpu")
    bare = found.spec.carbon.model_copy(update={"region": None})
    with pytest.raises(MissedRuleError, match="TW211"):
        lower(replace(found, spec=found.spec.model_copy(update={"carbon": bare})), choose(found.spec))


def test_plan_and_estimate_name_one_source() -> None:
    """An intensity that the spec gives has the same source in both, beside the place that it is for."""
    found = loaded("tiny-cpu", "carbon.intensity=0.1 kg/kWh")
    plan = lower(found, choose(found.spec)).carbon
    predicted = predict(found.spec)
    assert plan.intensity_source == predicted.intensity_source == "given in the spec"
    assert (plan.place, plan.intensity_kg_per_kwh, predicted.intensity_kg_per_kwh) == ("France (fr)", 0.1, 0.1)


def test_the_peak_of_a_cpu_is_unknown() -> None:
    """Only a device with a datasheet has a peak; the typical rate of CPUs would make an MFU that means nothing."""
    assert planned("llama2-7b").device.peak_flops == 312e12
    assert planned("tiny-cpu").device.peak_flops is None


@pytest.mark.parametrize(("decay", "steps"), [("10%", 100), ("7 steps", 7), ("40960 tokens", 10), (None, 100)])
def test_a_wsd_decay_becomes_steps(decay: str | None, steps: int) -> None:
    """A share of the run, steps or tokens; a tenth of the run by default, and none for another schedule."""
    sets = ["data.tokens=4.096M tokens", "training.optimizer.schedule=wsd"]
    asked = [f"training.optimizer.decay={decay}"] if decay else []
    assert planned("tiny-cpu", *sets, *asked).schedule.decay_steps == steps
    assert planned("tiny-cpu").schedule.decay_steps is None


def test_a_batch_warm_up_becomes_whole_sequences_and_samples() -> None:
    """1,024 tokens are 4 sequences of 256; they end with the step that reaches 10,240 tokens."""
    warmup = "training.batch_warmup=[{global_batch: 1024 tokens, until: 10240 tokens}]"
    schedule = planned("tiny-cpu", "data.tokens=51200 tokens", warmup, "training.optimizer.warmup=5 steps").schedule
    assert [(stage.sequences, stage.until) for stage in schedule.batch_warmup] == [(4, 40)]
    assert schedule.steps == 10 + 10
    tokens = planned("tiny-cpu", "data.tokens=51200 tokens", warmup, "training.optimizer.warmup=14336 tokens").schedule
    assert (schedule.warmup_steps, tokens.warmup_steps) == (5, 10 + 1)


def test_a_batch_warm_up_costs_its_steps() -> None:
    """Smaller steps make the same tokens dearer: they are charged at their own step time."""
    found = loaded("llama2-7b", "training.batch_warmup=[{global_batch: 1M tokens, until: 1T}]")
    grown, plain = predict(found.spec), predict(loaded("llama2-7b").spec)
    assert grown.device_hours
    assert plain.device_hours
    assert plain.device_hours.value * 1.001 < grown.device_hours.value < plain.device_hours.value * 2
    assert any("batch warms up" in note for note in grown.notes)

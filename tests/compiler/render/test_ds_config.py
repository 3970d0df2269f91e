"""ds_config.json: the real DeepSpeed accepts it, every key is known, and what it gets wrong in silence is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from trainwright.compiler.render.ds_config import deepspeed_config
from trainwright.compiler.render.ds_keys import unknown_keys
from trainwright.spec.facts import facts
from trainwright.spec.layout import Layout
from trainwright.spec.problem import MissedRuleError
from trainwright.tests.compiler.specs import unit

LAYOUTS = {
    "stage 1": Layout(data=2, micro_batch=8),
    "stage 2 offload": Layout(data=2, micro_batch=8, zero=2, offload="optimizer"),
    "stage 3 hpz": Layout(data=2, micro_batch=8, zero=3, shard_group=2),
    "tensor": Layout(data=1, tensor=2, micro_batch=8, accumulation=2),
}

# Runs in a process of its own: DeepSpeed's import is slow and chatty. Records every top-level key that it looks up.
READ_BY_DEEPSPEED = """
import json, sys
from deepspeed.runtime.config import DeepSpeedConfig
from deepspeed.runtime.precision_config import DeepSpeedBF16Config, DeepSpeedFP16Config
from deepspeed.runtime.tensor_parallel.config import TPTrainingConfig
from deepspeed.runtime.zero.config import DeepSpeedZeroConfig
from deepspeed.runtime.zero.offload_config import DeepSpeedZeroOffloadOptimizerConfig

seen = set()

class Keys:
    def __init__(self, names): self.names = names
    def __contains__(self, key): seen.add(key); return key in self.names
    def __iter__(self): return iter(self.names)
    def __len__(self): return len(self.names)

class Recorder(dict):
    def get(self, key, default=None): seen.add(key); return super().get(key, default)
    def __contains__(self, key): seen.add(key); return super().__contains__(key)
    def __getitem__(self, key): seen.add(key); return super().__getitem__(key)
    def keys(self): return Keys(list(super().__iter__()))

def fields(model):
    return [f.alias or n for n, f in model.model_fields.items() if not (f.json_schema_extra or {}).get("deprecated")]

read = {}
for name, config in json.load(sys.stdin).items():
    parsed = DeepSpeedConfig(Recorder(config))
    read[name] = [parsed.gradient_clipping, parsed.gradient_accumulation_steps, int(parsed.zero_config.stage)]
table = {"top": sorted(seen), "zero_optimization": fields(DeepSpeedZeroConfig), "bf16": fields(DeepSpeedBF16Config),
         "fp16": fields(DeepSpeedFP16Config), "tensor_parallel": fields(TPTrainingConfig),
         "zero_optimization.offload_optimizer": fields(DeepSpeedZeroOffloadOptimizerConfig)}
print("ANSWER" + json.dumps([read, table]))
"""


def configured(layout: Layout, *sets: str) -> dict[str, Any]:
    """The configuration of the tiny example under `layout`."""
    plan = unit("tiny-cpu", *sets).plan
    return deepspeed_config(plan.model_copy(update={"layout": layout}))


@pytest.fixture(scope="module")
def answer() -> Any:
    """What the installed DeepSpeed reads of every layout's configuration, and the keys that it knows."""
    configs = {name: configured(layout, "training.precision=bf16") for name, layout in LAYOUTS.items()}
    words = [sys.executable, "-c", READ_BY_DEEPSPEED]
    environment = {**os.environ, "DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": "1", "WORLD_SIZE": "1"}
    result = subprocess.run(
        words, input=json.dumps(configs), text=True, capture_output=True, check=True, timeout=200, env=environment
    )
    return json.loads(result.stdout.partition("ANSWER")[2])


def test_deepspeed_reads_what_was_meant(answer: Any) -> None:
    """The real parser takes every configuration and sees clipping, accumulation and stage as planned."""
    expected = {name: [1.0, layout.accumulation, layout.zero] for name, layout in LAYOUTS.items()}
    assert answer[0] == expected


def test_the_table_of_keys_is_deepspeeds(answer: Any) -> None:
    """The table that the compiler checks against is what the installed DeepSpeed looks up, key for key."""
    known = facts("deepspeed")["sections"]
    assert {name: sorted(keys) for name, keys in answer[1].items()} == {name: sorted(known[name]) for name in answer[1]}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_key_is_known(layout: Layout) -> None:
    """No key that DeepSpeed would ignore is ever written."""
    assert unknown_keys(configured(layout)) == []


def test_unknown_keys_are_found_at_every_depth() -> None:
    """A mistyped section or key is named with its path."""
    config = {"zero_optimisation": {}, "zero_optimization": {"stage": 1, "overlap": True}}
    assert unknown_keys(config) == ["zero_optimisation", "zero_optimization.overlap"]


def test_gradients_accumulate_in_fp32_and_are_clipped_as_said() -> None:
    """Neither is left to DeepSpeed's defaults, of which one loses precision and the other changed between versions."""
    config = configured(LAYOUTS["stage 1"], "training.optimizer.gradient_clip=0.5")
    assert (config["data_types"], config["gradient_clipping"]) == ({"grad_accum_dtype": "fp32"}, 0.5)


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_gradients_are_reduced_while_the_backward_pass_runs(stage: int) -> None:
    """In every stage."""
    zero = configured(Layout.model_validate({"data": 2, "micro_batch": 8, "zero": stage}))["zero_optimization"]
    assert zero["overlap_comm"] is True


@pytest.mark.parametrize("stage", [1, 2, 3])
@pytest.mark.parametrize("precision", ["bf16", "fp16", "fp32"])
def test_ranks_add_up_gradients_in_fp32(stage: int, precision: str) -> None:
    """In bf16, DeepSpeed's default, a sum over many ranks loses what is small beside it."""
    layout = Layout.model_validate({"data": 2, "micro_batch": 8, "zero": stage})
    config = configured(layout, f"training.precision={precision}")
    assert config["communication_data_type"] == "fp32"


def test_the_throughput_timer_is_off() -> None:
    """It synchronises the device twice a micro batch, which torch.compile cannot trace."""
    assert configured(LAYOUTS["stage 1"])["timers"] == {"throughput": {"enabled": False}}


@pytest.mark.parametrize("tensor", [1, 2])
def test_zero_3_fetches_a_layer_ahead(tensor: int) -> None:
    """The prefetch ends with a layer's last matrix: no part of the next is gathered by itself, and norms never are."""
    shape = unit("tiny-cpu").plan.model.shape
    zero = configured(Layout(tensor=tensor, micro_batch=8, accumulation=2, zero=3))["zero_optimization"]
    whole = (shape.layer_parameters - 2 * shape.norm_parameters) / tensor + 2 * shape.norm_parameters
    last = shape.hidden_size * shape.ffn_size / tensor
    assert whole - last < zero["stage3_prefetch_bucket_size"] <= whole
    assert zero["stage3_param_persistence_threshold"] == 0


def test_buckets_grow_with_the_model_up_to_the_default() -> None:
    """A small model does not pay for half a billion elements; a large one gets them. Both are whole numbers."""
    small = configured(LAYOUTS["stage 1"])["zero_optimization"]["reduce_bucket_size"]
    large = deepspeed_config(unit("llama2-70b").plan)["zero_optimization"]["reduce_bucket_size"]
    assert (small, large, type(large)) == (2**20, 500_000_000, int)


def test_tensor_parallel_names_the_models_matrices() -> None:
    """The patterns match the weights of the model that are split, and no other."""
    import re

    specs = configured(LAYOUTS["tensor"])["tensor_parallel"]["partition_config"]["layer_specs"]
    sides = {pattern: spec["partition_type"] for spec in specs for pattern in spec["patterns"]}

    def side(name: str) -> set[str]:
        return {kind for pattern, kind in sides.items() if re.match(pattern, name)}

    attention = {name: side(f"model.layers.0.self_attn.{name}_proj.weight") for name in "qkvo"}
    assert attention == {"q": {"column"}, "k": {"column"}, "v": {"column"}, "o": {"row"}}
    mlp = {name: side(f"model.layers.0.mlp.{name}_proj.weight") for name in ("gate", "up", "down")}
    assert mlp == {"gate": {"column"}, "up": {"column"}, "down": {"row"}}
    assert side("lm_head.weight") == side("model.embed_tokens.weight") == {"column"}
    assert side("model.norm.weight") | side("model.layers.0.input_layernorm.weight") == set()


@pytest.mark.parametrize(
    ("layout", "code"),
    [
        (Layout(data=2, zero=0), "TW313"),
        (Layout(data=2, tensor=2, zero=3, shard_group=2), "TW313"),
        (Layout(pipeline=2, zero=2), "TW303"),
        (Layout(context=2), "TW201"),
        (Layout(data=2, zero=2, shard_group=2), "TW313"),
        (Layout(tensor=4), "TW302"),
    ],
)
def test_what_goes_wrong_in_silence_is_never_rendered(layout: Layout, code: str) -> None:
    """Each combination that DeepSpeed accepts and trains wrongly, or that the loop cannot run, names its rule."""
    with pytest.raises(MissedRuleError) as caught:
        configured(layout)
    assert caught.value.rule == code

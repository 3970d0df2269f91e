"""The edges of every range: a spec that passes the checks can be planned and estimated, whatever its numbers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from trainwright.compiler.check import load_checked_one
from trainwright.compiler.plan.estimate import estimate
from trainwright.compiler.plan.layout_search import choose
from trainwright.spec.problem import InputError

EXAMPLES = Path(__file__).parents[2] / "examples"
BASES = [EXAMPLES / "tiny-cpu.yaml", EXAMPLES / "llama2-7b.yaml"]
EDGES = {
    "model": [
        "{layers: 1, hidden_size: 2, ffn_size: 1, heads: 1, kv_heads: 1, vocab_size: 1}",
        "llama2-70b",
        "ladder-600k",
    ],
    "model.layers": ["1", "1000000"],
    "model.hidden_size": ["2", "1000000"],
    "model.ffn_size": ["1", "10000000"],
    "model.heads": ["1", "2"],
    "model.vocab_size": ["1", "10000000"],
    "tokenizer.vocab_size": ["1", "32000", "10000000"],
    "training.sequence_length": ["1", "10000000"],
    "training.global_batch": ["1 sequence", "1 tokens", "1e20 tokens", "1e23 sequences"],
    "training.precision": ["fp32", "fp16", "bf16"],
    "training.optimizer.learning_rate": ["1e-300", "1e300"],
    "training.optimizer.warmup": ["0 steps", "1e20 steps", "1 tokens"],
    "training.checkpoint.every": ["1 s", "1e20 h", "1 steps", "1 tokens"],
    "data.tokens": ["1 tokens", "1T", "1e23 tokens"],
    "data.validation": ["49%", "1e-300"],
    "cluster.gpu": ["H100-SXM5-80GB", "V100-SXM2-32GB", "T4-16GB", "CPU"],
    "cluster.gpus": ["1", "8", "999983", "1000000"],
    "cluster.gpus_per_node": ["1", "8", "1024"],
    "cluster.power_cap": ["100 W", "null"],
    "cluster.interconnect": ["{bandwidth_per_gpu: 1e-20 bps}", "{bandwidth_per_gpu: 1e23 B/s}", "{kind: none}"],
    "cluster.price": ["0 USD/h", "1e20 USD/h"],
    "carbon.intensity": ["0 kg/kWh", "1e20 kg/kWh"],
    "carbon.scopes": ["{host: true, network: true, embodied: true}"],
    "published": ["null", "{gpu_hours: 1e-300, power: 1 W, source: x}", "{gpu_hours: 1e300, power: 1e20 W, source: x}"],
    "parallel": ["{zero: 3}", "{micro_batch: 1000000}", "{tensor: 8}", "{shard_group: 8, zero: 3}", "{data: 1}"],
}


def campaign(count: int, seed: int) -> int:
    """Give up to five keys values at their edges; how many specs passed the checks, all of which could be estimated."""
    luck = random.Random(seed)  # noqa: S311 - a test wants the same luck again
    passed = 0
    for _ in range(count):
        keys = luck.sample(list(EDGES), luck.randint(1, 5))
        sets = [f"{key}={luck.choice(EDGES[key])}" for key in keys]
        base = luck.choice(BASES)
        try:
            spec = load_checked_one(base, sets).spec
        except InputError:
            continue
        try:
            assert estimate(spec, choose(spec)).model_dump_json()
        except Exception as error:
            raise AssertionError(f"seed {seed}: {base.name} {sets}: {error!r}") from error
        passed += 1
    return passed


def test_a_checked_spec_can_be_estimated():
    """60 specs at the edges: none of those without errors makes planner or estimator fail."""
    assert campaign(60, 1) > 8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 14))
def test_many_checked_specs_can_be_estimated(seed):
    """10,000 more."""
    assert campaign(2_500, seed) > 300

"""A first spec, with comments, from a few answers. In: answers. Out: the text of a spec that checks without error."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ...spec.facts import facts
from ...spec.problem import InputError
from ...spec.quantity import TOKENS, QuantityError
from ..load.presets import Preset, presets
from ..plan.corpus_tokens import STDLIB

_LARGEST_RATE = 2e-3  # the rule of thumb is fitted on larger runs, and goes too high for small ones
_WORDS_OF_YAML = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_PLAIN = re.compile(r"[A-Za-z][\w./*-]*(?::[\w./*-]+)*", re.ASCII)
_LARGE = 1e9  # parameters from which a model gets Llama's context and batch


@dataclass(frozen=True, slots=True)
class Answers:
    """What a first spec needs to be told; `tokens` empty: compute-optimal for the model."""

    name: str
    model: str
    cluster: str
    gpus: int | None
    data: str
    tokens: str
    region: str


def starter_spec(answers: Answers) -> str:
    """The commented spec. Raises InputError for an unknown preset and for tokens without a unit."""
    model, cluster = _known("model", answers.model), _known("cluster", answers.cluster)
    parameters, on_cpu = model.shape.parameters, cluster.values["gpu"] == "CPU"
    tokens = answers.tokens or _tokens(parameters, sampled=on_cpu and answers.data == STDLIB)
    length, batch = _shape_of_a_step(parameters, on_cpu=on_cpu)
    return _TEMPLATE.format(
        name=_scalar(answers.name),
        model=answers.model,
        parameters=f"{parameters / 1e6:,.1f} million parameters",
        vocabulary=model.values["vocab_size"],
        data=_scalar(answers.data),
        tokens=tokens,
        length=length,
        batch=batch,
        precision="fp32" if on_cpu else "bf16",
        rate=f"{_rate(parameters, tokens):.0e}".replace("e-0", "e-"),
        cluster=f"{{preset: {answers.cluster}, gpus: {answers.gpus}}}" if answers.gpus else answers.cluster,
        cap="" if on_cpu else "  # a lower power cap: {preset: ..., power_cap: 350 W}",
        region=_scalar(answers.region),
        target="local" if on_cpu else "slurm",
    )


def _scalar(answer: str) -> str:
    """An answer as one value of YAML, quoted where it would be anything else."""
    plain = _PLAIN.fullmatch(answer) and answer.lower() not in _WORDS_OF_YAML
    return answer if plain else json.dumps(answer, ensure_ascii=False)


def _tokens(parameters: int, *, sampled: bool) -> str:
    """Compute-optimal for the model; of python:stdlib, a sample text, no more than `check` finds worth its time."""
    sanity = facts("sanity")
    tokens = float(f"{sanity['tokens_per_parameter']['optimal'] * parameters:.1g}")
    if sampled:
        most = sanity["epochs"]["most"] * sanity["stdlib"]["bytes"] / min(sanity["bytes_per_token"]["range"])
        tokens = min(tokens, most // 1e6 * 1e6)
    return TOKENS.text(int(tokens))


def _shape_of_a_step(parameters: int, *, on_cpu: bool) -> tuple[int, str]:
    """Context and batch: Llama's for large models, small ones for a CPU."""
    if on_cpu:
        return 256, "16 sequences"
    return (4096, "4M tokens") if parameters >= _LARGE else (2048, "256 sequences")


def _rate(parameters: int, tokens: str) -> float:
    """The learning rate that the rule of thumb gives."""
    rule = facts("sanity")["learning_rate"]
    try:
        flops = 6.0 * parameters * max(1, TOKENS.parse(tokens))
    except QuantityError as error:
        raise InputError.one("TW206", error.message, error.remedy, "data.tokens") from error
    return min(rule["coefficient"] * flops ** rule["exponent"], _LARGEST_RATE)


def _known(section: str, name: str) -> Preset:
    known = presets(section)
    if name not in known:
        raise InputError.one("TW207", f"there is no {section} preset {name!r}", f"Known: {', '.join(known)}.", section)
    return known[name]


_TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# Completion and hover text in an editor: trainwright schema > schema.json
# A training spec. `trainwright check` reads it, `trainwright estimate` says what it will cost.
version: 1
name: {name}

# A preset (`trainwright presets` lists them), changed key by key: {{preset: {model}, layers: 24}}
model: {model}  # {parameters}
tokenizer: {{algorithm: bpe, vocab_size: {vocabulary}, split_digits: true, byte_fallback: true}}

# *.txt, *.jsonl or *.jsonl.zst next to this file, or python:stdlib; several sources make a mixture.
data: {{train: {data}, validation: 1%, tokens: {tokens}}}

training:
  sequence_length: {length}
  global_batch: {batch}
  precision: {precision}
  optimizer: {{learning_rate: {rate}, schedule: cosine, warmup: 100 steps}}
  checkpoint: {{every: 30 min}}

cluster: {cluster}{cap}
parallel: auto

# Where the power comes from: a place of the grid table, or `intensity: 0.385 kg/kWh`.
carbon: {{pue: 1.1, region: {region}}}
launch: {{target: {target}}}
"""

"""A first spec, with comments, from a few answers. In: answers. Out: the text of a spec that checks without error.

An answer that is not given has a default that goes with the ones before it, so that each answer can be checked alone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...spec.facts import figures
from ...spec.problem import InputError
from ...spec.quantity import TOKENS, QuantityError
from ..load.presets import Preset, presets
from ..load.sites import Site, site_tree, sites
from ..plan.corpus_tokens import STDLIB
from .recipes import propose

Answers = Mapping[
    str, str
]  # name, model, cluster, gpus, data, tokens, region, target, power_cap; "" where none is given
_WORDS_OF_YAML = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_PLAIN = re.compile(r"[A-Za-z][\w./*-]*(?::[\w./*-]+)*", re.ASCII)
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ?([kKmMbB])", re.ASCII)
_SCALE = {"k": 1e3, "m": 1e6, "b": 1e9}
_NEAR = 2  # a preset within this factor is taken for a size
_PLACE = "fr"  # for checking what comes before the question about the place


@dataclass(frozen=True, slots=True)
class Machine:
    """A cluster preset, or a site that the spec extends."""

    name: str
    gpu: str
    per_node: int
    gpus: int
    is_site: bool

    @property
    def on_cpu(self) -> bool:
        """Whether it trains on processors."""
        return self.gpu == "CPU"


def starter_spec(answers: Answers) -> str:
    """The commented spec. Raises InputError for an unknown name, and for tokens without a unit."""
    model, machine = model_of(answers), machine_of(answers)
    parameters, data, tokens = model.shape.parameters, data_of(answers), tokens_of(answers)
    devices = devices_of(answers)
    cap = "" if answers.get("power_cap") == "none" else answers.get("power_cap", "")
    step = propose(parameters, _number(tokens), devices, on_cpu=machine.on_cpu)
    return _TEMPLATE.format(
        base=f"extends: {machine.name}  # a site: its nodes, network and Slurm options\n" if machine.is_site else "",
        name=_scalar(answers.get("name") or model.name),
        model=model.name,
        parameters=f"{parameters / 1e6:,.1f} million parameters",
        vocabulary=model.values["vocab_size"],
        data=_scalar(data),
        tokens=tokens,
        length=step.length,
        batch=f"{step.sequences} sequences",
        precision="fp32" if machine.on_cpu else "bf16",
        rate=f"{step.learning_rate:.1e}".replace(".0e", "e").replace("e-0", "e-"),
        warmup=step.warmup,
        source=step.source,
        cluster=_cluster(machine, devices, cap),
        cap="" if machine.on_cpu or cap else "  # a lower power cap: power_cap: 350 W",
        region=_scalar(answers.get("region") or _PLACE),
        target=target_of(answers),
    )


def model_of(answers: Answers) -> Preset:
    """The preset that is named, or of those in Llama 2's vocabulary the one next to a size. Raises InputError."""
    known, asked = presets("model"), answers.get("model") or "ladder-2m"
    size = _SIZE.fullmatch(asked)
    if size is None or asked in known:
        return _known("model", asked, known)
    wanted = float(size[1]) * _SCALE[size[2].lower()] or 1.0
    sized = [known[name] for name in figures("models")["sizes"]]
    near = min(sized, key=lambda preset: abs(math.log(preset.shape.parameters / wanted)))
    if not 1 / _NEAR <= near.shape.parameters / wanted <= _NEAR:
        message = f"no model preset is near {asked}; the nearest is {near.name}"
        raise InputError.one("TW207", message, f"Known: {', '.join(known)}.", "model")
    return near


def machine_of(answers: Answers) -> Machine:
    """The cluster preset or the site that is named; a CPU for a small model, A100s for others. Raises InputError."""
    small = model_of(answers).shape.parameters <= figures("recipes")["processor_size"]
    asked = answers.get("cluster") or ("local-cpu" if small else "dgx-a100-pod")
    listed = sites()
    if asked in listed:
        return _of_site(listed[asked])
    preset = _known("cluster", asked, presets("cluster"), *listed)
    values = preset.values
    return Machine(asked, values["gpu"], values["gpus_per_node"], values["gpus"], is_site=False)


def devices_of(answers: Answers) -> int:
    """How many devices. Raises InputError where the answer is not a number."""
    asked = answers.get("gpus", "")
    if not asked:
        return machine_of(answers).gpus
    if not re.fullmatch(r"[1-9][0-9]{0,6}", asked, re.ASCII):
        raise InputError.one("TW203", f"{asked!r} is not a number of devices", "Write for example 64.", "cluster.gpus")
    return int(asked)


def data_of(answers: Answers) -> str:
    """The glob of the training text: Python's own library on a CPU."""
    return answers.get("data") or (STDLIB if machine_of(answers).on_cpu else "corpus/**/*.jsonl.zst")


def tokens_of(answers: Answers) -> str:
    """Compute-optimal for the model; of python:stdlib, a sample text, no more than `check` finds worth its time."""
    if answers.get("tokens"):
        return answers["tokens"]
    sanity = figures("sanity")
    parameters = model_of(answers).shape.parameters
    tokens = float(f"{sanity['tokens_per_parameter']['optimal'] * parameters:.1g}")
    if data_of(answers) == STDLIB:
        most = sanity["epochs"] * sanity["stdlib_bytes"] / min(sanity["bytes_per_token"])
        tokens = min(tokens, most // 1e6 * 1e6)
    return TOKENS.text(int(tokens))


def target_of(answers: Answers) -> str:
    """What starts the run: this machine where it is one node of processors, else Slurm."""
    return answers.get("target") or ("local" if machine_of(answers).on_cpu else "slurm")


def _of_site(site: Site) -> Machine:
    """Raises InputError where a site file does not say what its nodes are."""
    node = site_tree(site).child("cluster")
    values: dict[str, Any] = node.plain if node is not None and node.items else {}
    gpu, per_node = values.get("gpu"), values.get("gpus_per_node")
    if gpu is None or not isinstance(per_node, int):
        message = f"the site {site.name} does not say `gpu` and `gpus_per_node` under `cluster`"
        raise InputError.one("TW207", message, f"Complete {site.path}, or name another.", "cluster")
    return Machine(site.name, str(gpu), per_node, figures("recipes")["site_nodes"] * per_node, is_site=True)


def _cluster(machine: Machine, devices: int, power_cap: str) -> str:
    entries = {} if machine.is_site else {"preset": machine.name}
    entries |= {"gpus": str(devices)} if machine.is_site or devices != machine.gpus else {}
    entries |= {"power_cap": _scalar(power_cap)} if power_cap else {}
    if list(entries) == ["preset"]:
        return machine.name
    return "{" + ", ".join(f"{key}: {value}" for key, value in entries.items()) + "}"


def _scalar(answer: str) -> str:
    """An answer as one value of YAML, quoted where it would be anything else."""
    plain = _PLAIN.fullmatch(answer) and answer.lower() not in _WORDS_OF_YAML
    return answer if plain else json.dumps(answer, ensure_ascii=False)


def _number(tokens: str) -> int:
    try:
        return int(TOKENS.parse(tokens))
    except QuantityError as error:
        raise InputError.one("TW206", error.message, error.remedy, "data.tokens") from error


def _known(section: str, name: str, known: Mapping[str, Preset], *others: str) -> Preset:
    if name not in known:
        names = ", ".join([*known, *others])
        raise InputError.one("TW207", f"there is no {section} preset {name!r}", f"Known: {names}.", section)
    return known[name]


_TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# Completion and hover text in an editor: trainwright schema > schema.json
# A training spec. `trainwright check` reads it, `trainwright estimate` says what it will cost.
version: 1
{base}name: {name}

# A preset (`trainwright presets` lists them), changed key by key: {{preset: {model}, layers: 24}}
model: {model}  # {parameters}
tokenizer: {{algorithm: bpe, vocab_size: {vocabulary}, split_digits: true, byte_fallback: true}}

# *.txt, *.jsonl or *.jsonl.zst next to this file, or python:stdlib; several sources make a mixture.
data: {{train: {data}, validation: 1%, tokens: {tokens}}}

# {source}
training:
  sequence_length: {length}
  global_batch: {batch}
  precision: {precision}
  optimizer: {{learning_rate: {rate}, schedule: cosine, warmup: {warmup} steps}}
  checkpoint: {{every: 30 min}}

cluster: {cluster}{cap}
parallel: auto

# Where the power comes from: a place of the grid table, or `intensity: 0.385 kg/kWh`.
carbon: {{pue: 1.1, region: {region}}}
launch: {{target: {target}}}
"""

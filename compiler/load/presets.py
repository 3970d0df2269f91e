"""Presets: named models and clusters, looked up in the facts and overridden key by key by the spec."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Any

from ...spec.facts import facts
from ...spec.problem import Problem
from ...spec.sections import Model
from ...spec.shape import ModelShape
from ...spec.yaml_source import Node, graft
from .merge import merge

TABLES = {"model": "models", "cluster": "clusters"}
# What makes a preset the thing it is called after; a cluster of another size or cap is still that cluster.
IDENTITY = {
    "model": {
        "layers",
        "hidden_size",
        "ffn_size",
        "heads",
        "kv_heads",
        "vocab_size",
        "tied_embeddings",
        "head_size",
        "qkv_biases",
        "qk_norm",
        "norm_after",
        "no_rope_every",
        "sliding_window",
        "full_attention_every",
        "logit_softcap",
    },
    "cluster": {"gpu", "gpus_per_node", "interconnect"},
}
SIZES = ("layers", "hidden_size", "ffn_size", "heads", "kv_heads", "vocab_size")
_ABOUT = {"source", "assumed"}


@dataclass(frozen=True, slots=True)
class Preset:
    """A named model or cluster: its values as a spec would write them, and where they come from."""

    name: str
    values: dict[str, Any]
    source: str
    date: str
    assumed: str

    @property
    def shape(self) -> ModelShape:
        """The sizes of a model preset."""
        return Model.model_validate(self.values).shape


def presets(section: str) -> dict[str, Preset]:
    """All presets of `model` or `cluster`."""
    table = facts(TABLES[section])
    return {name: _preset(name, row, table["sources"]) for name, row in table["presets"].items()}


def _preset(name: str, row: dict[str, Any], sources: dict[str, dict[str, str]]) -> Preset:
    source = sources[row["source"]]
    values = {key: value for key, value in row.items() if key not in _ABOUT}
    return Preset(name, values, source["text"], source["date"], row.get("assumed", ""))


def with_preset(section: str, node: Node, problems: list[Problem]) -> Node:
    """The section with its preset spelled out below the spec's own keys; an unknown preset becomes a problem."""
    named = node if isinstance(node.value, str) else node.child("preset")
    if named is None:
        return node
    own = {key: child for key, child in node.items.items() if key != "preset"}
    known = presets(section)
    preset = known.get(named.value) if isinstance(named.value, str) else None
    if preset is None:
        problems.append(_unknown(section, named, list(known)))
        return replace(node, value=own)
    base = graft(preset.values, named.place, f"preset {preset.name}")
    whole = merge(base, replace(node, value=own))
    name = preset.name if _is_itself(section, base, whole) else f"{preset.name}-modified"
    entries = {"name": graft(name, named.place, base.origin), **whole.items}
    return replace(whole, value=entries, origin=f"preset {preset.name}: {preset.source}, {preset.date}")


def _is_itself(section: str, base: Node, whole: Node) -> bool:
    return all(base.plain.get(key) == whole.plain.get(key) for key in IDENTITY[section] & whole.items.keys())


def _unknown(section: str, named: Node, known: list[str]) -> Problem:
    word = str(named.value).lower().rpartition("/")[2]  # of a model hub's name, what stands behind the owner
    near = difflib.get_close_matches(word, known, n=1)
    remedy = f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}."
    message = f"there is no {section} preset {named.value!r}"
    return Problem("TW207", "error", message, remedy, section, named.place)

"""The rotary positions that config.json states, and how a config states ours."""

from __future__ import annotations

from typing import Any

from ...spec.model_family import Family
from ...spec.sections import Model, RopeScaling

# Our key -> that of config.json, for each kind of scaling.
_KEYS: dict[str, dict[str, str]] = {
    "default": {},
    "linear": {"factor": "factor"},
    "llama3": {
        "factor": "factor",
        "original_context": "original_max_position_embeddings",
        "low_frequency_factor": "low_freq_factor",
        "high_frequency_factor": "high_freq_factor",
    },
    "yarn": {
        "factor": "factor",
        "original_context": "original_max_position_embeddings",
        "beta_fast": "beta_fast",
        "beta_slow": "beta_slow",
        "attention_factor": "attention_factor",
    },
}
_PLAIN = {"partial_rotary_factor": 1.0, "truncate": True}  # what may be there, as it is without the key


def read_rope(config: dict[str, Any], family: Family) -> tuple[float, RopeScaling | None]:
    """The base of the frequencies and their scaling. Raises ValueError for what we do not compute."""
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}  # transformers' order
    if not isinstance(rope, dict):
        raise ValueError(f"its positions are {rope!r}")  # noqa: TRY004 - of a file, not of an argument
    if not family.scales_rope and "full_attention" in rope:
        full, near = rope["full_attention"], rope.get("sliding_attention") or rope["full_attention"]
        if full != near or not isinstance(full, dict):
            raise ValueError("its positions differ between layers with and without a window")
        rope = full
    kind = rope.get("rope_type", rope.get("type", "default"))
    names = _KEYS.get(kind) if isinstance(kind, str) else None
    unknown = {key for key, value in rope.items() if value is not None} - {"rope_type", "type", "rope_theta"}
    unknown -= {key for key in _PLAIN if rope.get(key) == _PLAIN[key]}
    if names is None or unknown - set(names.values()) or (names and not family.scales_rope):
        raise ValueError(f"its positions are scaled ({rope})")
    theta = rope.get("rope_theta") or config["rope_theta"]
    if not names:
        return theta, None
    values = {ours: rope[theirs] for ours, theirs in names.items() if rope.get(theirs) is not None}
    if "original_context" in names:
        values.setdefault("original_context", config.get("max_position_embeddings"))
    return theta, RopeScaling.model_validate({"kind": kind, **values})


def rope_parameters(model: Model) -> dict[str, Any]:
    """The rotary positions of a model as transformers 5 writes them."""
    scaling = model.rope_scaling
    if scaling is None:
        return {"rope_theta": model.rope_theta, "rope_type": "default"}
    written = {theirs: getattr(scaling, ours) for ours, theirs in _KEYS[scaling.kind].items()}
    if scaling.kind == "llama3":  # transformers has no defaults for these
        written["low_freq_factor"], written["high_freq_factor"] = scaling.bounds
    kept = {key: value for key, value in written.items() if value is not None}
    return {"rope_theta": model.rope_theta, "rope_type": scaling.kind, **kept}

"""Rotary positions are scaled with the settings of their kind, and some layer has them.

llama3 and yarn decide by original_context, the length before the stretch, which waves are divided by `factor`: llama3
by low_frequency_factor and high_frequency_factor (1 and 4), yarn by beta_slow and beta_fast (1 and 32 turns), the lower
one first. A key of another kind would be ignored.

Bad:

    model: {preset: llama2-7b, rope_scaling: {kind: llama3, factor: 8}}

Good:

    model: {preset: llama2-7b, rope_scaling: {kind: llama3, factor: 8, original_context: 4096}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.sections import RopeScaling
from ..load import Loaded
from .finding import Finding

CODE = "TW328"

_OWN = {
    "linear": (),
    "llama3": ("original_context", "low_frequency_factor", "high_frequency_factor"),
    "yarn": ("original_context", "beta_fast", "beta_slow", "attention_factor"),
}
_BOUNDS = {"llama3": ("low_frequency_factor", "high_frequency_factor"), "yarn": ("beta_slow", "beta_fast")}
_KEY = "model.rope_scaling"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Settings that a kind of scaling lacks, has in the wrong order, or does not have."""
    model = loaded.spec.model
    if model.rope_scaling is not None:
        yield from _settings(model.rope_scaling)
        if model.rope_scaling.kind == "yarn" and model.rope_theta <= 1:
            yield Finding("model.rope_theta", "with a base of at most 1 no wave is longer than another", "Raise it.")
    if model.no_rope_every == 1:
        yield Finding("model.no_rope_every", "no layer would have positions", "Write 2 or more, or remove it.")


def _settings(scaling: RopeScaling) -> Iterator[Finding]:
    own = _OWN[scaling.kind]
    if "original_context" in own and scaling.original_context is None:
        message = f"{scaling.kind} needs the tokens per sequence before the stretch"
        yield Finding(f"{_KEY}.original_context", message, "Write original_context, e.g. 8192.")
    for key in {key for keys in _OWN.values() for key in keys}.difference(own):
        if getattr(scaling, key) is not None:
            yield Finding(f"{_KEY}.{key}", f"`{key}` is not a setting of {scaling.kind}", "Remove it.")
    if scaling.kind in _BOUNDS and scaling.bounds[0] >= scaling.bounds[1]:
        low, high = _BOUNDS[scaling.kind]
        message = f"{low} {scaling.bounds[0]:g} is not below {high} {scaling.bounds[1]:g}"
        yield Finding(f"{_KEY}.{low}", message, f"Lower {low}.")

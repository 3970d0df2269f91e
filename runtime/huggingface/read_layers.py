"""What config.json says layer by layer, as "every n-th": which layers have a window, and which no positions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...spec.model_family import Family

MOST_LAYERS = 10_000  # of a list that is made here
FULL, WINDOW = "full_attention", "sliding_attention"


def every_nth_window(config: dict[str, Any], family: Family) -> tuple[int | None, int | None]:
    """The sliding window of a config, and every how many layers there is none.

    Raises ValueError where the spec has no word for it.
    """
    window = config.get("sliding_window")
    if family.windows == "none" or window is None or (family.switched and not config.get("use_sliding_window")):
        return None, None
    if not isinstance(window, int) or window < 1:
        raise ValueError(f"sliding_window is {window!r}")
    if family.windows == "all":
        return window, None
    kinds = _layer_types(config, family)
    if set(kinds) - {FULL, WINDOW} or len(kinds) != config.get("num_hidden_layers"):
        raise ValueError("layer_types does not name full_attention or sliding_attention for each layer")
    if WINDOW not in kinds:
        return None, None
    return window, _every([kind == FULL for kind in kinds], "layer_types: the layers without a window")


def _layer_types(config: dict[str, Any], family: Family) -> list[str]:
    """layer_types, or what transformers makes of a config without them."""
    kinds, layers = config.get("layer_types"), config.get("num_hidden_layers")
    if isinstance(kinds, list):
        return [str(kind) for kind in kinds]
    if kinds is not None or not isinstance(layers, int) or layers > MOST_LAYERS or family.no_rope:
        raise ValueError("its windows are not known without layer_types")
    if family.model_type == "olmo3":
        return [FULL if (layer + 1) % 4 == 0 else WINDOW for layer in range(layers)]
    first = config.get("max_window_layers", 28) if family.switched else 0
    return [WINDOW if layer >= first else FULL for layer in range(layers)]


def every_nth_without_rope(config: dict[str, Any], family: Family) -> int | None:
    """Every how many layers there are no rotary positions. Raises ValueError where the spec has no word for it."""
    if not family.no_rope:
        return None
    rotated, layers = config.get("no_rope_layers"), config.get("num_hidden_layers")
    if rotated is None:
        return config.get("no_rope_layer_interval", 4)
    if not isinstance(rotated, list) or not isinstance(layers, int) or len(rotated) < layers:
        raise ValueError("no_rope_layers does not say 0 or 1 for each layer")
    return _every([not each for each in rotated[:layers]], "no_rope_layers: the layers without positions")


def _every(marked: Sequence[bool], what: str) -> int | None:
    """N where exactly every N-th is marked, None where none is. Raises ValueError otherwise."""
    if not any(marked):
        return None
    step = marked.index(True) + 1
    if list(marked) != [(number + 1) % step == 0 for number in range(len(marked))]:
        raise ValueError(f"{what} are not every n-th")
    return step

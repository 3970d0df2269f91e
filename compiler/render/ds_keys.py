"""Which keys DeepSpeed knows (`spec/facts/deepspeed.yaml`): a mistyped one is found before it is ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...spec.facts import facts


def unknown_keys(config: Mapping[str, Any], section: str = "") -> list[str]:
    """Dotted names of the keys of `config` that DeepSpeed would ignore or refuse."""
    known = facts("deepspeed")["sections"].get(section or "top")
    if known is None:  # the inside of a value that DeepSpeed reads freely, e.g. a partition table
        return []
    found: list[str] = []
    for key, value in config.items():
        name = f"{section}.{key}" if section else key
        if key not in known:
            found.append(name)
        elif isinstance(value, Mapping):
            found += unknown_keys(value, name)
    return found

"""Laying one tree of values over another: `extends`, presets, `--set` and the matrix all merge by this one rule.

A mapping over a mapping is merged key by key, and a preset's name counts as `{preset: name}` below a mapping; anything
else replaces what was there.
"""

from __future__ import annotations

from dataclasses import replace

from ..spec.source import Node

SUGAR = {"model", "cluster"}  # sections that may be a preset's name instead of a mapping


def merged(base: Node, over: Node) -> Node:
    """`over` laid on `base`."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    entries = dict(base.value)
    for key, node in over.value.items():
        entries[key] = _laid(key, entries.get(key), node)
    return replace(over, value=entries)


def assigned(tree: Node, path: tuple[str, ...], node: Node) -> Node:
    """`tree` with `node` at a dotted path; mappings on the way are made, a preset's name becomes `{preset: name}`."""
    key, rest = path[0], path[1:]
    entries = dict(tree.items)
    below = entries.get(key)
    if not rest:
        entries[key] = _laid(key, below, node)
    else:
        below = replace(node, value={}) if below is None else _opened(key, below)
        entries[key] = assigned(below if isinstance(below.value, dict) else replace(node, value={}), rest, node)
    return replace(tree, value=entries)


def _laid(key: str, below: Node | None, node: Node) -> Node:
    if below is None:
        return node
    return merged(_opened(key, below) if isinstance(node.value, dict) else below, node)


def _opened(key: str, below: Node) -> Node:
    """A preset's name as the mapping that it stands for; anything else as it is."""
    if key in SUGAR and isinstance(below.value, str):
        return replace(below, value={"preset": below})
    return below

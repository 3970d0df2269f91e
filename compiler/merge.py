"""Laying one tree of values over another: `extends`, presets, `--set` and the matrix all merge by this one rule.

A mapping over a mapping is merged key by key; anything else replaces what was there.
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
        entries[key] = merged(entries[key], node) if key in entries else node
    return replace(over, value=entries)


def assigned(tree: Node, path: tuple[str, ...], node: Node) -> Node:
    """`tree` with `node` at a dotted path; mappings on the way are made, a preset's name becomes `{preset: name}`."""
    if not path:
        return merged(tree, node)
    key, rest = path[0], path[1:]
    entries = dict(tree.items)
    below = entries.get(key)
    if rest:
        below = _opened(key, below, node)
    entries[key] = node if below is None else assigned(below, rest, node)
    return replace(tree, value=entries)


def _opened(key: str, below: Node | None, node: Node) -> Node:
    if below is not None and isinstance(below.value, dict):
        return below
    if below is not None and key in SUGAR and isinstance(below.value, str):
        return replace(below, value={"preset": below})
    return replace(node, value={})

"""Laying one tree of values over another: `extends`, presets, `--set` and the matrix all merge by this one rule.

A mapping over a mapping is merged key by key, and a preset's name counts as `{preset: name}` below a mapping; anything
else replaces what was there. `resolve.py` writes out what is still short at the end.
"""

from __future__ import annotations

from dataclasses import replace

from ...spec.yaml_source import Node

SUGAR = {"model", "cluster"}  # sections that may be a preset's name instead of a mapping


def merge(base: Node, over: Node) -> Node:
    """`over` laid on `base`."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    entries = dict(base.value)
    for key, node in over.value.items():
        entries[key] = _merge_entry(key, entries.get(key), node)
    return replace(over, value=entries)


def set_path(tree: Node, path: tuple[str, ...], node: Node) -> Node:
    """`tree` with `node` at a path of keys and, below a list, of indices that it has.

    Mappings on the way are made and short forms opened. Raises IndexError with the step that a list does not have.
    """
    key, rest = path[0], path[1:]
    if isinstance(tree.value, list):
        if not key.isdigit() or int(key) >= len(tree.value):
            raise IndexError(key)
        items = list(tree.value)
        items[int(key)] = set_path(items[int(key)], rest, node) if rest else merge(items[int(key)], node)
        return replace(tree, value=items)
    entries = dict(tree.items)
    below = entries.get(key)
    if not rest:
        entries[key] = _merge_entry(key, below, node)
    else:
        below = replace(node, value={}) if below is None else _expand_short_form(key, below, rest[0])
        entries[key] = set_path(below if isinstance(below.value, dict | list) else replace(node, value={}), rest, node)
    return replace(tree, value=entries)


def _merge_entry(key: str, below: Node | None, node: Node) -> Node:
    if below is None:
        return node
    return merge(_expand_short_form(key, below, "") if isinstance(node.value, dict) else below, node)


def expand_sources(train: Node) -> Node:
    """`data.train` as a list of mappings: a glob stands for `{path: glob}`, one source for a list of one."""
    items = train.value if isinstance(train.value, list) else [train]
    return replace(
        train, value=[replace(item, value={"path": item}) if isinstance(item.value, str) else item for item in items]
    )


def _expand_short_form(key: str, below: Node, step: str) -> Node:
    """What a short form stands for, so that `step` can be taken in it; anything else as it is."""
    if key in SUGAR and isinstance(below.value, str):
        return replace(below, value={"preset": below})
    if key == "validation_source" and isinstance(below.value, str):
        return replace(below, value={"path": below})
    return expand_sources(below) if key == "train" and step.isdigit() else below

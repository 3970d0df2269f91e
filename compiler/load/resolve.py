"""From a tree to a spec: short forms written out, presets looked up, units read, every mistake a problem with a place.

In: the merged tree of one spec. Out: the frozen `Spec`, and for each of its values the place and the origin.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ...spec.problem import InputError, Place, Problem
from ...spec.sections import Section, Spec
from ...spec.yaml_source import Node
from .branch import with_branch_point
from .merge import expand_sources
from .presets import TABLES, with_preset
from .pydantic_errors import problem_from_pydantic


def resolve(tree: Node) -> tuple[Spec, Node]:
    """The spec that `tree` says, and the tree with everything written out. Raises InputError with all problems."""
    problems: list[Problem] = []
    entries = dict(tree.items)
    for section in TABLES:
        if section in entries:
            entries[section] = with_preset(section, entries[section], problems)
    if (data := entries.get("data")) and isinstance(data.value, dict):
        entries["data"] = _written_out(data)
    if "launch" in entries:
        entries["launch"] = _container_opened(entries["launch"])
    if (branch := entries.pop("extends_run", None)) is not None:
        found = with_branch_point(branch, Path(tree.place.file).parent, problems)
        entries |= {"extends_run": found} if found else {}
    if "parallel" in entries and entries["parallel"].value == "auto":
        entries["parallel"] = replace(entries["parallel"], value={})
    tree = replace(tree, value=entries)
    try:
        spec = Spec.model_validate(tree.plain, strict=True, context={"units": True})
    except ValidationError as error:
        raise InputError([*problems, *_mistakes(error, tree, {problem.path for problem in problems})]) from None
    if problems:
        raise InputError(problems)
    return spec, tree


def _mistakes(error: ValidationError, tree: Node, blamed: set[str]) -> Iterator[Problem]:
    """What pydantic found, without what only follows from something else."""
    for item in error.errors(include_url=False):
        if item["type"] == "too_short" and item["input"]:
            continue  # an entry that is wrong is not counted, so that the list seems too short
        problem = problem_from_pydantic(item, tree)
        if problem.code != "TW202" or problem.path.split(".")[0] not in blamed:
            yield problem  # a section whose preset is unknown lacks keys only because of that


def _written_out(data: Node) -> Node:
    """`data` with each of its sources as a mapping."""
    train, held_out, entries = data.child("train"), data.child("validation_source"), dict(data.items)
    if train is not None:
        entries["train"] = expand_sources(train)
    if held_out is not None and isinstance(held_out.value, str):
        entries["validation_source"] = replace(held_out, value={"path": held_out})
    return replace(data, value=entries)


def _container_opened(launch: Node) -> Node:
    """`launch` with its container as a mapping: an image alone stands for `{image: ...}`."""
    container = launch.child("container")
    if container is None or not isinstance(container.value, str):
        return launch
    return replace(launch, value={**launch.items, "container": replace(container, value={"image": container})})


def origins(spec: Spec, tree: Node) -> Iterator[tuple[str, str, Place | None]]:
    """For each value of the spec: its dotted path, where it came from, and its place when a user wrote it."""
    return _origins(spec, tree, "")


def _origins(value: Any, node: Node | None, path: str) -> Iterator[tuple[str, str, Place | None]]:
    if isinstance(value, Section):
        if node is not None and node.origin and node.key is not None:
            yield path, node.origin, node.key
        for name in type(value).model_fields:
            child = node.items.get(name) if node else None
            yield from _origins(getattr(value, name), child, f"{path}.{name}" if path else name)
    elif isinstance(value, tuple) and value and isinstance(value[0], Section):
        for index, item in enumerate(value):
            yield from _origins(item, node.child(index) if node else None, f"{path}.{index}")
    elif node is None:
        yield path, "default", None
    else:
        origin = node.origin or f"{node.place.file}:{node.place.line}"
        yield path, origin, node.place
        for name in value if isinstance(value, dict) else ():
            entry = node.items[name]
            yield f"{path}.{name}", origin, entry.key or entry.place

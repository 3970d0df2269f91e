"""Changing a spec from outside: `--set cluster.power_cap=350W`.

On a key that the matrix varies it fixes it: the matrix keeps that one value, and the run keeps the name that shows it
from the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ...spec.problem import InputError, Place, Problem
from ...spec.yaml_source import Node, parse
from .matrix import FROM_ZERO, fix_value
from .merge import set_path

_PATH = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)*")
_FORM = "Write for example --set cluster.power_cap=350W, or =null to take a value away."

OVERRIDE = "--set"  # where the values of the command line stand


def apply_overrides(tree: Node, sets: Iterable[str]) -> Node:
    """`tree` with each `key=value` applied in order. Raises InputError naming every malformed one."""
    problems: list[Problem] = []
    for text in sets:
        try:
            tree = _apply_override(tree, text)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tree


def _apply_override(tree: Node, text: str) -> Node:
    path, _, value = text.partition("=")
    place = Place(OVERRIDE, 1, 1, max(1, len(path)), text)
    if not value.strip() or not _PATH.fullmatch(path):
        raise InputError.one("TW112", f"{text!r} is not key=value", _FORM, "", place)
    if path == "extends":
        message = "a spec says in its file which one it extends"
        raise InputError.one("TW112", message, "Write `extends` into the file.", path, place)
    try:
        node = _moved(parse(value, OVERRIDE), place)
    except InputError as error:
        raise InputError([replace(problem, path=path, place=place) for problem in error.problems]) from None
    try:
        return fix_value(set_path(tree, _steps(path), node), path, node)
    except IndexError as error:
        raise InputError.one("TW112", f"there is no entry {error} in this list", FROM_ZERO, path, place) from None


def _steps(path: str) -> tuple[str, ...]:
    """The keys on the way to a value; those of a matrix are dotted themselves."""
    section, _, rest = path.partition(".")
    return (section, rest) if section == "matrix" and rest else tuple(path.split("."))


def _moved(node: Node, place: Place) -> Node:
    """The node with every place set to the option it came from."""
    if isinstance(node.value, dict):
        value = {key: _moved(child, place) for key, child in node.value.items()}
        return Node(value, place, place, OVERRIDE)
    if isinstance(node.value, list):
        return Node([_moved(child, place) for child in node.value], place, place, OVERRIDE)
    return Node(node.value, place, place, OVERRIDE)

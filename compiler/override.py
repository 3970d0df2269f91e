"""Changing a spec from outside: `--set cluster.power_cap=350W`, and `matrix:`, which makes several specs of one.

Both give values to dotted keys. `--set` on a key that the matrix varies pins it: the matrix keeps that one value, and
the run keeps the name that tells it from the others.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..spec.problem import InputError, Place, Problem
from ..spec.source import Node, parse
from .merge import assigned

MAX_VARIANTS = 256

_PATH = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)*")
_FORM = "Write for example --set cluster.power_cap=350W, or =null to take a value away."
_FROM_ZERO = "Entries count from 0; to add one, write the whole list: --set 'data.train=[a.txt, b.txt]'."


def with_sets(tree: Node, sets: Iterable[str]) -> Node:
    """`tree` with each `key=value` applied in order. Raises InputError naming every malformed one."""
    problems: list[Problem] = []
    for text in sets:
        try:
            tree = _with_set(tree, text)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tree


def _with_set(tree: Node, text: str) -> Node:
    path, _, value = text.partition("=")
    place = Place("--set", 1, 1, max(1, len(path)), text)
    if not value.strip() or not _PATH.fullmatch(path):
        raise InputError.one("TW112", f"{text!r} is not key=value", _FORM, "", place)
    if path == "extends":
        message = "a spec says in its file which one it extends"
        raise InputError.one("TW112", message, "Write `extends` into the file.", path, place)
    try:
        node = _moved(parse(value, "--set"), place)
    except InputError as error:
        raise InputError([replace(problem, path=path, place=place) for problem in error.problems]) from None
    try:
        return _pinned(assigned(tree, _steps(path), node), path, node)
    except IndexError as error:
        raise InputError.one("TW112", f"there is no entry {error} in this list", _FROM_ZERO, path, place) from None


def _steps(path: str) -> tuple[str, ...]:
    """The keys on the way to a value; those of a matrix are dotted themselves."""
    section, _, rest = path.partition(".")
    return (section, rest) if section == "matrix" and rest else tuple(path.split("."))


def variants(tree: Node) -> Iterator[tuple[str, Node]]:
    """Each combination of the matrix as a name suffix and a tree; without a matrix, the tree alone."""
    matrix = tree.child("matrix")
    rest = replace(tree, value={key: node for key, node in tree.items.items() if key != "matrix"})
    axes = _axes(matrix) if matrix is not None else {}
    for choice in itertools.product(*axes.values()):
        variant, words = rest, list[str]()
        for path, node in zip(axes, choice, strict=True):
            try:
                variant = assigned(variant, _steps(path), node)
            except IndexError as error:
                message = f"there is no entry {error} in this list"
                raise InputError.one("TW111", message, _FROM_ZERO, f"matrix.{path}", node.place) from None
            words.append(_word(node))
        yield "-".join(words), variant


def _axes(matrix: Node) -> dict[str, list[Node]]:
    problems: list[Problem] = []
    form = "Write for example matrix: {cluster.power_cap: [400 W, 350 W]}."
    if not matrix.items:
        raise InputError.one("TW111", "a matrix is a mapping of keys to lists of values", form, "matrix", matrix.place)
    axes: dict[str, list[Node]] = {}
    for path, node in matrix.items.items():
        where = f"matrix.{path}"
        if not _PATH.fullmatch(path) or path.split(".")[0] in ("matrix", "extends", "version", "name"):
            problems.append(Problem("TW111", "error", f"`{path}` cannot be varied", form, where, node.key))
        elif not isinstance(node.value, list) or not node.value:
            problems.append(Problem("TW111", "error", "a matrix key takes a list of values", form, where, node.place))
        else:
            axes[path] = node.value
    count = 1
    for values in axes.values():
        count *= len(values)
    if count > MAX_VARIANTS:
        message = f"the matrix makes {count} specs; at most {MAX_VARIANTS} are allowed"
        problems.append(Problem("TW111", "error", message, "Vary fewer keys.", "matrix", matrix.key))
    if problems:
        raise InputError(problems)
    return axes


def _word(node: Node) -> str:
    """What a choice adds to the name of a run: `350 W` becomes `350w`; of a mapping, its first words."""
    if node.items:
        return "-".join(_word(child) for child in node.items.values())
    text = str(node.plain).lower().replace(" ", "").replace("/", "-per-")
    return re.sub(r"[^a-z0-9.]+", "-", text).strip("-.") or "none"


def _pinned(tree: Node, path: str, node: Node) -> Node:
    matrix = tree.child("matrix")
    if matrix is None or path not in matrix.items:
        return tree
    axis = replace(matrix.items[path], value=[node])
    return replace(tree, value=tree.items | {"matrix": replace(matrix, value=matrix.items | {path: axis})})


def _moved(node: Node, place: Place) -> Node:
    """The node with every place set to the option it came from."""
    if isinstance(node.value, dict):
        value = {key: _moved(child, place) for key, child in node.value.items()}
        return Node(value, place, place, "--set")
    if isinstance(node.value, list):
        return Node([_moved(child, place) for child in node.value], place, place, "--set")
    return Node(node.value, place, place, "--set")

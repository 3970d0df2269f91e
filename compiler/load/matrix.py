"""`matrix:` makes several specs of one: every combination of lists of values, or a list of rows that belong together.

    matrix: {model: [llama2-7b, llama2-13b], cluster.power_cap: [400 W, 350 W]}     # four specs
    matrix:
      - {model: llama2-7b, training.optimizer.learning_rate: 3e-4}                   # two specs
      - {model: llama2-70b, training.optimizer.learning_rate: 1.5e-4}

A combination is named after all of its values, a row after its first.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...spec.problem import InputError, Place, Problem
from ...spec.yaml_source import Node
from .merge import set_path

MAX_VARIANTS = 256
FROM_ZERO = "Entries count from 0; to add one, write the whole list: --set 'data.train=[a.txt, b.txt]'."

_PATH = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)*")
_FORM = "Write for example matrix: {cluster.power_cap: [400 W, 350 W]}."
_ROWS = "Write for example matrix: [{model: llama2-7b, cluster.gpus: 1024}, {model: llama2-70b, cluster.gpus: 2048}]."

Row = dict[str, Node]


def expand_matrix(tree: Node) -> Iterator[tuple[str, Node]]:
    """Each spec of the matrix as a name suffix and a tree; without a matrix, the tree alone."""
    matrix = tree.child("matrix")
    if matrix is None:
        yield "", tree
        return
    rest = replace(tree, value={key: node for key, node in tree.items.items() if key != "matrix"})
    for name, row in _rows(matrix):
        variant = rest
        for path, node in row.items():
            try:
                variant = set_path(variant, tuple(path.split(".")), node)
            except IndexError as error:
                message = f"there is no entry {error} in this list"
                raise InputError.one("TW111", message, FROM_ZERO, f"matrix.{path}", node.place) from None
        yield name, variant


def fix_value(tree: Node, path: str, node: Node) -> Node:
    """`tree` after `--set path=node`: a varied key keeps that one value, and the first key of rows picks a row.

    Raises InputError when no row has that value.
    """
    matrix = tree.child("matrix")
    if matrix is None:
        return tree
    if isinstance(matrix.value, list):
        value = _picked(matrix.value, path, node)
    elif path in matrix.items:
        value = matrix.items | {path: replace(matrix.items[path], value=[node])}
    else:
        return tree
    return replace(tree, value=tree.items | {"matrix": replace(matrix, value=value)})


def _picked(rows: Sequence[Node], path: str, node: Node) -> list[Node]:
    if not rows or path != next(iter(rows[0].items), ""):
        return [replace(row, value=row.items | {path: node}) if path in row.items else row for row in rows]
    names = [_word(row.items[path]) if path in row.items else "" for row in rows]
    if _word(node) not in names:
        message = f"no row of the matrix has `{_word(node)}`"
        raise InputError.one("TW111", message, f"Take one of {', '.join(names)}.", path, node.place)
    # Its first key names a row: keep it first.
    return [
        replace(row, value={path: row.items[path]} | row.items)
        for row, name in zip(rows, names, strict=True)
        if name == _word(node)
    ]


def _rows(matrix: Node) -> list[tuple[str, Row]]:
    """The specs that a matrix stands for. Raises InputError naming all that is wrong with it."""
    if isinstance(matrix.value, list) and matrix.value:
        return _listed(matrix.value)
    if matrix.items:
        return _combined(matrix)
    message = "a matrix is a mapping of keys to lists of values, or a list of rows"
    raise InputError.one("TW111", message, _FORM, "matrix", matrix.place)


def _combined(matrix: Node) -> list[tuple[str, Row]]:
    problems: list[Problem] = []
    axes: dict[str, list[Node]] = {}
    count = 1
    for path, node in matrix.items.items():
        if problem := _unvaried(path, node):
            problems.append(problem)
        elif not isinstance(node.value, list) or not node.value:
            message = "a matrix key takes a list of values"
            problems.append(Problem("TW111", "error", message, _FORM, f"matrix.{path}", node.place))
        else:
            axes[path] = node.value
            count *= len(node.value)
    problems += _too_many(count, matrix.key)
    if problems:
        raise InputError(problems)
    chosen = (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    return [("-".join(map(_word, row.values())), row) for row in chosen]


def _listed(rows: Sequence[Node]) -> list[tuple[str, Row]]:
    problems = _too_many(len(rows), rows[0].place)
    wanted = list(rows[0].items)
    for number, row in enumerate(rows):
        where = f"matrix.{number}"
        if not row.items:
            message = "a row of a matrix is a mapping of keys to values"
            problems.append(Problem("TW111", "error", message, _ROWS, where, row.place))
        elif wanted and set(row.items) != set(wanted):
            remedy = f"Give every row {', '.join(wanted)}."
            message = "all rows of a matrix have the same keys"
            problems.append(Problem("TW111", "error", message, remedy, where, row.place))
        problems += [problem for path, node in row.items.items() if (problem := _unvaried(path, node))]
    if problems:
        raise InputError(problems)
    return [(_word(row.items[wanted[0]]), row.items) for row in rows]


def _unvaried(path: str, node: Node) -> Problem | None:
    if _PATH.fullmatch(path) and path.partition(".")[0] not in ("matrix", "extends", "version", "name"):
        return None
    return Problem("TW111", "error", f"`{path}` cannot be varied", _FORM, f"matrix.{path}", node.key)


def _too_many(count: int, place: Place | None) -> list[Problem]:
    if count <= MAX_VARIANTS:
        return []
    message = f"the matrix makes {count} specs; at most {MAX_VARIANTS} are allowed"
    return [Problem("TW111", "error", message, "Vary fewer keys.", "matrix", place)]


def _word(node: Node) -> str:
    """What a choice adds to the name of a run: `350 W` becomes `350w`; of a mapping, its first words."""
    if node.items:
        return "-".join(_word(child) for child in node.items.values())
    text = str(node.plain).lower().replace(" ", "").replace("/", "-per-")
    return re.sub(r"[^a-z0-9.]+", "-", text).strip("-.") or "none"

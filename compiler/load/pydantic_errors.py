"""What pydantic found, in our words: each of its errors becomes a problem with a code, a place and a remedy."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...spec.facts import facts
from ...spec.problem import Place, Problem, shortened
from ...spec.quantity import QuantityError
from ...spec.section import Section, section_in
from ...spec.sections import Spec
from ...spec.spec_text import written
from ...spec.yaml_source import Node

_WORDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list, like [a, b]",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def problem_from_pydantic(error: Mapping[str, Any], tree: Node, root: type[Section] = Spec) -> Problem:
    """The problem that a pydantic error of `root` stands for; `tree` gives its place."""
    steps: tuple[str | int, ...] = tuple(error["loc"])
    kind: str = error["type"]
    node, place = _find(tree, steps, at_key=kind == "extra_forbidden")
    path = ".".join(str(step) for step in steps)
    explain = _EXPLAINERS.get(kind, _wrong_type if kind in _WORDS else _other)
    if kind == "extra_forbidden":
        code, message, remedy = _unknown_key(steps, root)
    elif kind == "missing":
        code, message, remedy = _missing(steps, root)
    elif kind in _BOUNDS:
        code, message, remedy = _bound(error, steps, node, root)
    else:
        code, message, remedy = explain(error, steps, node)
    return Problem(code, "error", message, remedy, path, place)


def _find(tree: Node, steps: tuple[str | int, ...], *, at_key: bool) -> tuple[Node | None, Place]:
    """The node at `steps` (None when it is not there) and the nearest place to point at."""
    found = list(_along(tree, steps))
    if not found:
        return None, Place(tree.place.file, 1, 1)
    last, whole = found[-1], len(found) == len(steps)
    at_key = at_key or not whole or isinstance(last.value, dict | list)
    return last if whole else None, last.key if at_key and last.key else last.place


def _along(tree: Node, steps: tuple[str | int, ...]) -> Iterator[Node]:
    """The nodes on the way, as far as they are there."""
    node: Node | None = tree
    for step in steps:
        node = node.child(step)
        if node is None:
            return
        yield node


def _unknown_key(steps: tuple[str | int, ...], root: type[Section]) -> tuple[str, str, str]:
    section, word = _section(steps[:-1], root), str(steps[-1])
    known = list(section.model_fields) if section else []
    if root is Spec:
        known += {"": ["extends", "matrix"], "model": ["preset"], "cluster": ["preset"]}.get(_dotted(steps[:-1]), [])
    return "TW201", f"unknown key `{word}`", _meant(word, known, root)


def _meant(word: str, known: list[str], root: type[Section]) -> str:
    """The key that was meant: one of this section that looks like it, or the same word in another section."""
    if difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.8):
        return _nearest(word, known)
    name = facts("synonyms").get(word.lower(), word)
    if name in known:
        return f"Did you mean `{name}`?"
    elsewhere = [path for path in _paths(root, "") if path.rpartition(".")[2] == name]
    return f"Did you mean {' or '.join(f'`{path}`' for path in elsewhere)}?" if elsewhere else _nearest(word, known)


def _paths(section: type[Section], above: str) -> Iterator[str]:
    """Every dotted key of the language below a section."""
    for name, field in section.model_fields.items():
        yield above + name
        below = section_in(field.annotation)
        if below is not None:
            yield from _paths(below, f"{above}{name}.")


def _missing(steps: tuple[str | int, ...], root: type[Section]) -> tuple[str, str, str]:
    section = _section(steps[:-1], root)
    field = section.model_fields.get(str(steps[-1])) if section else None
    below = _section(steps, root)
    words = (field.description if field else "") or (below.__doc__ if below else "") or ""
    about = f" ({words.splitlines()[0].rstrip('.')})" if words else ""
    return "TW202", f"`{_name(steps)}` is missing", f"Add `{_name(steps)}: ...`{about}"


def _wrong_type(error: Any, steps: tuple[str | int, ...], node: Node | None) -> tuple[str, str, str]:
    wanted = _WORDS[error["type"]]
    if node is not None and node.value is None:
        return "TW203", f"`{_name(steps)}` is empty; it takes {wanted}", "Give it a value, or leave the key out."
    given = _shown(error["input"])
    quoted = f' Quote it: "{given}".' if wanted == "text" and isinstance(error["input"], int | float) else ""
    return "TW203", f"{given} is not {wanted}", f"`{_name(steps)}` takes {wanted}.{quoted}"


def _choice(error: Any, steps: tuple[str | int, ...], _node: Node | None) -> tuple[str, str, str]:
    choices = re.findall(r"'([^']*)'|(\d+)", error["ctx"]["expected"])
    known = [word or number for word, number in choices]
    return (
        "TW204",
        f"{_shown(error['input'])} is not a choice for `{_name(steps)}`",
        _nearest(str(error["input"]), known),
    )


def _bound(error: Any, steps: tuple[str | int, ...], node: Node | None, root: type[Section]) -> tuple[str, str, str]:
    key, words = _BOUNDS[error["type"]]
    limit = error["ctx"][key]
    section = _section(steps[:-1], root)
    field = section.model_fields.get(str(steps[-1])) if section else None
    shown = written(limit, field) if field else limit
    return (
        "TW205",
        f"{_shown(node.plain if node else error['input'])} is out of range",
        f"`{_name(steps)}` must be {words} {shown if isinstance(shown, str) else f'{limit:g}'}.",
    )


def _empty(_error: Any, steps: tuple[str | int, ...], _node: Node | None) -> tuple[str, str, str]:
    return "TW205", "the list is empty", f"`{_name(steps)}` needs at least one entry."


def _quantity(error: Any, _steps: tuple[str | int, ...], _node: Node | None) -> tuple[str, str, str]:
    found: QuantityError = error["ctx"]["error"]
    return "TW206", found.message, found.remedy


def _text(error: Any, steps: tuple[str | int, ...], _node: Node | None) -> tuple[str, str, str]:
    message = f"{_shown(error['input'])} cannot be used as `{_name(steps)}`"
    return "TW208", message, f"`{_name(steps)}` takes {error['ctx']['meaning']}."


def _other(error: Any, _steps: tuple[str | int, ...], _node: Node | None) -> tuple[str, str, str]:
    return "TW203", str(error["msg"]), ""


_EXPLAINERS: dict[str, Callable[[Any, tuple[str | int, ...], Node | None], tuple[str, str, str]]] = {
    "literal_error": _choice,
    "too_short": _empty,
    "value_error": _quantity,
    "word": _text,
}


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f"Did you mean `{near[0]}`?" if near else f"Known: {', '.join(known)}."


def _name(steps: tuple[str | int, ...]) -> str:
    """What to call the value: its key, for an item of a list too."""
    return str(next((step for step in reversed(steps) if isinstance(step, str)), "spec"))


def _dotted(steps: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in steps)


def _section(steps: tuple[str | int, ...], root: type[Section]) -> type[Section] | None:
    """The class of the section at `steps`, for its field names."""
    kind: Any = root
    for step in steps:
        if isinstance(step, int):
            continue
        field = kind.model_fields.get(step)
        kind = section_in(field.annotation) if field else None
        if kind is None:
            return None
    return kind


def _shown(value: Any) -> str:
    kinds = {dict: "a mapping", tuple: "a list", bool: str(value).lower()}
    return shortened(kinds.get(type(value)) or repr(value))

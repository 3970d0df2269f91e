"""Each key of the spec by its path: what it is for, what it takes, its default and an example.

For `trainwright explain KEY` and the reference page; all of it comes from the field descriptions of the sections.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from ...spec.facts import facts
from ...spec.problem import InputError
from ...spec.quantity import Amount, AmountIn, Dimension
from ...spec.sections import Spec

_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
_SIGNS = {Gt: ("more than", "gt"), Ge: ("at least", "ge"), Lt: ("less than", "lt"), Le: ("at most", "le")}


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its dotted path (without the index of a list), and its field."""

    path: str
    field: FieldInfo

    @property
    def meaning(self) -> str:
        """What it is for, in a sentence or more."""
        inner = section_of(self.field.annotation)
        return self.field.description or (about(inner) if inner else "")

    @property
    def example(self) -> str:
        """A value, as a spec writes it; of a section, its keys."""
        inner = section_of(self.field.annotation)
        found = facts("key_examples")
        given = found.get(self.path, None if inner else found.get(self.path.rpartition(".")[2]))
        if given is not None:
            return written_out(given)
        if inner:
            return "{" + ", ".join(f"{name}: ..." for name in inner.model_fields) + "}"
        return _from_field(self.field)

    @property
    def text(self) -> str:
        """The entry for a terminal."""
        rows = [("takes", form_of(self.field)), ("default", default_of(self.field).strip("*"))]
        lines = [
            f"{self.path}: {self.meaning}",
            "",
            *(f"{name + ':':9}{value.replace('`', '')}" for name, value in rows),
        ]
        return "\n".join([*lines, f"example: {self.path.rpartition('.')[2]}: {self.example}"]) + "\n"


def keys(section: type[BaseModel] = Spec, above: str = "") -> Iterator[Key]:
    """Every key, depth first."""
    for name, field in section.model_fields.items():
        yield Key(f"{above}{name}", field)
        inner = section_of(field.annotation)
        if inner:
            yield from keys(inner, f"{above}{name}.")


def explain_key(word: str) -> list[Key]:
    """The key of that path, or all keys of that last word. Raises InputError naming the nearest."""
    known = {key.path: key for key in keys()}
    if word in known:
        return [known[word]]
    if ends := [key for path, key in known.items() if path.endswith(f".{word}")]:
        return ends
    near = difflib.get_close_matches(word, [*known, *{path.rpartition(".")[2] for path in known}], n=3, cutoff=0.6)
    remedy = f"Did you mean {' or '.join(near)}?" if near else "`trainwright explain` alone lists all codes."
    raise InputError.one("TW204", f"there is no code or key {word[:60]!r}", remedy)


def about(section: type[BaseModel]) -> str:
    """What a section is, on one line."""
    return " ".join((section.__doc__ or "").split())


def code(text: object) -> str:
    """`text` as code, or nothing."""
    return f"`{text}`" if text not in (None, "", {}) else ""


def written_out(value: Any) -> str:
    """A value of an example in the language, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {written_out(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written_out(item) for item in value) + "]"
    return str(value) if isinstance(value, str) else json.dumps(value)


def _from_field(field: FieldInfo) -> str:
    """An example by the choices, the unit or the default of a field."""
    choices = next((part for part in _parts(field.annotation) if get_origin(part) is Literal), None)
    amount = next((part for part in field.metadata if isinstance(part, AmountIn)), None)
    dimension = _dimension(field)
    found = _examples(amount)[0] if amount else dimension.examples[0] if dimension else None
    if field.default not in (None, (), {}) and not field.is_required():
        found = default_of(field).strip("`")
    elif choices is not None and get_origin(field.annotation) is tuple:
        found = f"[{get_args(choices)[0]}]"
    elif choices is not None:
        found = str(get_args(choices)[0])
    return found or ""


def _examples(amount: AmountIn) -> list[str]:
    return TypeAdapter(Annotated[Amount, amount]).json_schema()["examples"]


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from _parts(part)


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, alone, optional or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Amount:
        return annotation
    inner = [section_of(part) for part in get_args(annotation)]
    return next((part for part in inner if part), None)


def default_of(field: FieldInfo) -> str:
    """The default as a spec writes it; `needed` where there is none."""
    if field.is_required():
        return "**needed**"
    value = field.default
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, BaseModel) and not isinstance(value, Amount):
        return "as below"
    dimension = _dimension(field)
    if isinstance(value, Amount):
        return code(value.text)
    if dimension:
        return code(dimension.text(value))
    return code(str(value).lower() if isinstance(value, bool) else value)


def _dimension(field: FieldInfo) -> Dimension | None:
    parts = [*field.metadata, *_metadata(field.annotation)]
    return next((part for part in parts if isinstance(part, Dimension)), None)


def _metadata(annotation: Any) -> list[Any]:
    found = list(getattr(annotation, "__metadata__", ()))
    for part in get_args(annotation):
        found += _metadata(part)
    return found


def form_of(field: FieldInfo) -> str:
    """What a key takes: a kind with its unit, choices or bounds; of a section, that it is one."""
    if section_of(field.annotation):
        return "section"
    amount = next((part for part in field.metadata if isinstance(part, AmountIn)), None)
    if amount:
        return f"{' or '.join(amount.units)}: " + " or ".join(code(text) for text in _examples(amount))
    dimension = _dimension(field)
    if dimension:
        return f"{dimension.name}: " + " or ".join(code(text) for text in dimension.examples) + _bounds(field)
    return _plain(field.annotation) + _bounds(field)


def _plain(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(code(choice) for choice in get_args(annotation))
    if origin is Annotated:
        return _plain(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return _plain(next(part for part in get_args(annotation) if part is not NoneType))
    if origin is tuple:
        return f"list of {_plain(get_args(annotation)[0])}"
    if origin is dict:
        return "mapping of names to texts"
    return _WORDS[annotation]


def _bounds(field: FieldInfo) -> str:
    words = [
        f"{word} {getattr(part, key):g}"
        for part in [*field.metadata, *_metadata(field.annotation)]
        for kind, (word, key) in _SIGNS.items()
        if isinstance(part, kind)
    ]
    lengths = [f"{part.max_length} letters at most" for part in field.metadata if isinstance(part, MaxLen)]
    some = ["not empty" for part in field.metadata if isinstance(part, MinLen)]
    return "".join(f", {word}" for word in [*words, *lengths, *some])

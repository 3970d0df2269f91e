"""The page of every key of the spec: sections with their fields, forms, defaults and meaning."""

from __future__ import annotations

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ...spec.gpu_description import NameOrDescription
from ...spec.quantity import Amount, AmountIn, Dimension
from ...spec.sections import Spec
from .tables import code, page, table

_WORDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
_SIGNS = {Gt: ("more than", "gt"), Ge: ("at least", "ge"), Lt: ("less than", "lt"), Le: ("at most", "le")}
_INTRO = """\
A spec is one YAML file of these sections. Unknown keys are errors. `model` and `cluster` also take the name of a
[preset](presets.md), alone or as `preset:` with keys that override it. Two keys steer how the file is read and are gone
once it is: `extends: base.yaml` (a spec in the same project folder to start from) and `matrix:` (lists of values, one
run per combination; or a list of mappings, one run each). An editor completes and explains keys with the output of
`trainwright schema`.
"""


def spec_page() -> str:
    """Every section that a spec can hold, depth first."""
    parts = [_INTRO]
    for path, section in _sections(Spec, ""):
        parts += [f"## {path or 'The whole spec'}", "", _about(section), "", _fields(section, path), ""]
    return page("Spec", "`spec/sections.py`", *parts)


def _about(section: type[BaseModel]) -> str:
    return " ".join((section.__doc__ or "").split())


def _sections(section: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, section
    for name, field in section.model_fields.items():
        inner = _section_of(field.annotation)
        if inner:
            yield from _sections(inner, f"{path}.{name}".strip("."))


def _section_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds, alone, optional or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation is not Amount:
        return annotation
    inner = [_section_of(part) for part in get_args(annotation)]
    return next((part for part in inner if part), None)


def _fields(section: type[BaseModel], path: str) -> str:
    rows = [
        (code(name), _form(section, path, name), _default(field), field.description or _inner(field))
        for name, field in section.model_fields.items()
    ]
    return table(("key", "takes", "default", "meaning"), rows)


def _inner(field: FieldInfo) -> str:
    inner = _section_of(field.annotation)
    return _about(inner) if inner else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.default
    if value is None or value == ():
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


def _form(section: type[BaseModel], path: str, name: str) -> str:
    field = section.model_fields[name]
    inner = _section_of(field.annotation)
    if inner:
        target = f"{path}.{name}".strip(".").replace(".", "").lower()
        if any(isinstance(part, NameOrDescription) for part in field.metadata):
            return f"name, or [section](#{target})"
        return (
            f"[section](#{target})"
            if get_origin(field.annotation) is not tuple
            else f"list of [sections](#{target}), or one path"
        )
    amount = next((part for part in field.metadata if isinstance(part, AmountIn)), None)
    if amount:
        examples = section.model_json_schema()["properties"][name]["examples"]
        return f"{' or '.join(amount.units)}: " + " or ".join(code(text) for text in examples)
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

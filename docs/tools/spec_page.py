"""The page of every key of the spec: sections with their fields, forms, defaults and meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ...compiler.help.explain_key import about, code, default_of, form_of, section_of
from ...spec.gpu_description import NameOrDescription
from ...spec.sections import Spec
from .tables import page, table

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
        parts += [f"## {path or 'The whole spec'}", "", about(section), "", _fields(section, path), ""]
    return page("Spec", "`spec/sections.py`", *parts)


def _sections(section: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, section
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        if inner:
            yield from _sections(inner, f"{path}.{name}".strip("."))


def _fields(section: type[BaseModel], path: str) -> str:
    rows = [
        (code(name), _form(section, path, name), default_of(field), field.description or _inner(field))
        for name, field in section.model_fields.items()
    ]
    return table(("key", "takes", "default", "meaning"), rows)


def _inner(field: FieldInfo) -> str:
    inner = section_of(field.annotation)
    return about(inner) if inner else ""


def _form(section: type[BaseModel], path: str, name: str) -> str:
    field = section.model_fields[name]
    if not section_of(field.annotation):
        return form_of(field)
    target = f"{path}.{name}".strip(".").replace(".", "").lower()
    if any(isinstance(part, NameOrDescription) for part in field.metadata):
        return f"name, or [section](#{target})"
    return (
        f"[section](#{target})"
        if get_origin(field.annotation) is not tuple
        else f"list of [sections](#{target}), or one path"
    )

"""spec.lock.yaml: the spec with every default spelled out, and where each value came from, in its own language."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from ...spec.layout import Layout
from ...spec.quantity import Amount
from ...spec.sections import Parallel, Spec
from ...spec.spec_text import written

_FOLDERS = re.compile(r"^.*/(?=[^/]+:\d+$)")  # of a file and line: they differ from machine to machine


def lock_text(spec: Spec, layout: Layout, provenance: Mapping[str, str]) -> str:
    """`spec` with the planned `layout` as YAML, each value with its origin as a comment; unset fields stay out."""
    lines = ["# Every value of the spec, and where it came from. This file compiles to the same plan."]
    planned = spec.model_copy(update={"parallel": _parallel(layout)})
    asked = {f"parallel.{name}" for name, value in spec.parallel if value is not None}
    for indent, text, path in _lines(planned, "", 0):
        chosen = path.startswith("parallel.") and path not in asked
        origin = "planned" if chosen else _short(provenance.get(path, ""))
        lines.append(" " * indent + text + (f"  # {origin}" if origin else ""))
    return "\n".join(lines) + "\n"


def _parallel(layout: Layout) -> Parallel:
    fields = layout.model_dump(include={"data", "tensor", "sequence", "pipeline", "zero", "micro_batch", "offload"})
    shards = {"shard_group": layout.shard_group} if layout.shard_group else {}
    return Parallel.model_validate({**fields, **shards, "activation_checkpointing": layout.activation_checkpointing})


def _short(origin: str) -> str:
    """An origin without folders, and without the source that a preset's table cites."""
    return _FOLDERS.sub("", origin.partition(": ")[0] if origin.startswith("preset") else origin).replace("\n", " ")


def _lines(section: BaseModel, path: str, indent: int) -> Iterator[tuple[int, str, str]]:
    for name, field in type(section).model_fields.items():
        value, at = getattr(section, name), f"{path}.{name}" if path else name
        if value is None or value in ((), {}):
            continue
        if isinstance(value, BaseModel) and not isinstance(value, Amount):
            yield indent, f"{name}:", ""
            yield from _lines(value, at, indent + 2)
        elif isinstance(value, tuple) and isinstance(value[0], BaseModel):
            yield indent, f"{name}:", ""
            for index, item in enumerate(value):
                yield indent + 2, "-", ""
                yield from _lines(item, f"{at}.{index}", indent + 4)
        else:
            yield indent, f"{name}: {json.dumps(written(value, field), ensure_ascii=False)}", at

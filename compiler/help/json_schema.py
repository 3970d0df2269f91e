"""The JSON Schema of the spec as users write it: for completion and hover text in an editor; kept as spec/schema.json.

Pydantic's schema describes a resolved spec; this adds what the language allows before that: preset names, `auto`, one
path for a list of sources, `extends` and `matrix`. What must be there is asked for only where the file stands alone.
"""

from __future__ import annotations

from typing import Any

from ...spec.hardware import gpu_names
from ...spec.section import Section, section_in
from ...spec.sections import Spec
from ...spec.spec_text import written
from ..load.presets import TABLES, presets

JsonSchema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTITY = "urn:trainwright:spec:1"


def schema() -> JsonSchema:
    """The schema of one spec file."""
    whole = Spec.model_json_schema()
    definitions: dict[str, JsonSchema] = whole["$defs"]
    _write_defaults(Spec, whole, definitions)
    definitions["Spec"] = {"properties": whole["properties"], "required": whole["required"]}
    needed = {name: _needed(name, definitions) for name in definitions}
    for definition in definitions.values():
        definition.pop("required", None)
    properties: dict[str, JsonSchema] = definitions.pop("Spec")["properties"]
    _allow_short_forms(properties, definitions)
    alone = {"not": {"anyOf": [{"required": ["extends"]}, {"required": ["matrix"]}]}}
    return {
        "$schema": DIALECT,
        "$id": IDENTITY,
        "title": "Trainwright spec",
        "description": "One spec says what to train, on what cluster, under what power cap.",
        "type": "object",
        "additionalProperties": False,
        "properties": {**_OWN, **properties},
        "if": alone,
        "then": needed["Spec"],
        "$defs": definitions,
    }


_OWN: dict[str, JsonSchema] = {
    "extends": {
        "description": "A spec that this one is laid over, relative to this file; the name of a site; or a list.",
        "anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": {"type": "string"}}],
    },
    "matrix": {
        "description": "Dotted keys with lists of values, each combination a spec of its own; or a list of such specs.",
        "anyOf": [
            {"type": "object", "additionalProperties": {"type": "array", "minItems": 1}},
            {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1}},
        ],
        "examples": [{"cluster.power_cap": ["400 W", "350 W"]}, [{"model": "llama2-7b", "cluster.gpus": 1024}]],
    },
}


def _needed(name: str, definitions: dict[str, JsonSchema]) -> JsonSchema:
    """What a section and those below it must have; a preset brings what its section needs."""
    definition = definitions[name]
    required = definition.get("required", [])
    below = {
        key: _needed(section, definitions)
        for key, entry in definition.get("properties", {}).items()
        for section in _sections_of(entry)
    }
    below = {key: demand for key, demand in below.items() if demand}
    demand: JsonSchema = ({"required": required} if required else {}) | ({"properties": below} if below else {})
    if name.lower() in TABLES:
        return {"if": {"type": "object", "not": {"required": ["preset"]}}, "then": demand}
    return demand


def _sections_of(entry: JsonSchema) -> list[str]:
    """The sections that a key may hold by itself; those of a list need nothing more than their own keys."""
    references = [part.get("$ref", "") for part in (entry, *entry.get("anyOf", []))]
    return [reference.rpartition("/")[2] for reference in references if reference]


def _write_defaults(section: type[Section], definition: JsonSchema, definitions: dict[str, JsonSchema]) -> None:
    """Defaults with their units, as they would be written; those of whole sections say nothing and go."""
    for name, field in section.model_fields.items():
        entry = definition["properties"][name]
        if field.default is None or isinstance(field.default, Section):
            entry.pop("default", None)
        elif "default" in entry:
            entry["default"] = written(field.default, field)
        below = section_in(field.annotation)
        if below is not None:
            _write_defaults(below, definitions[below.__name__], definitions)


def _allow_short_forms(properties: dict[str, JsonSchema], definitions: dict[str, JsonSchema]) -> None:
    for section in TABLES:
        names = {"enum": list(presets(section)), "description": f"A {section} preset."}
        definitions[section.title()]["properties"] = {"preset": names, **definitions[section.title()]["properties"]}
        properties[section] = {"anyOf": [names, properties[section]]}
    definitions["Cluster"]["properties"]["gpu"]["examples"] = list(gpu_names())
    properties["parallel"] = {"anyOf": [{"const": "auto"}, {"$ref": "#/$defs/Parallel"}], "default": "auto"}
    image: JsonSchema = {"type": "string", "description": "An image reference or the path of one."}
    container = definitions["Launch"]["properties"]["container"]
    container |= {"anyOf": [image, {"$ref": "#/$defs/Container"}]}
    source: list[JsonSchema] = [{"type": "string", "description": "A glob."}, {"$ref": "#/$defs/CorpusSource"}]
    train = definitions["Data"]["properties"]["train"]
    about = {"description": train["description"]}
    held_out = definitions["Data"]["properties"]["validation_source"]
    held_out |= {"anyOf": [*source, {"type": "null"}]}
    definitions["Data"]["properties"]["train"] = about | {
        "anyOf": [*source, {"type": "array", "minItems": 1, "items": {"anyOf": source}}]
    }

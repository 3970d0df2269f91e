"""The JSON Schema: current, valid, true to the language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from trainwright.compiler.help.json_schema import schema
from trainwright.spec.yaml_source import read

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
WRONG = [
    path
    for code in ("TW201", "TW202", "TW203", "TW204", "TW205", "TW206", "TW207", "TW208")
    for path in (ROOT / "tests/bad").glob(f"{code}-*.yaml")
]


def _errors(path: Path) -> list[str]:
    tree = json.loads(json.dumps(read(path).plain))
    return [error.message for error in Draft202012Validator(schema()).iter_errors(tree)]


def test_the_committed_schema_is_current():
    """spec/schema.json is what `trainwright schema` prints."""
    assert json.loads((ROOT / "spec/schema.json").read_text(encoding="utf-8")) == json.loads(json.dumps(schema()))


def test_the_schema_is_a_valid_schema():
    """It passes the meta-schema of its dialect."""
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_valid_and_names_the_schema(path):
    """An editor shows no error in an example, and knows the schema from its first line."""
    assert _errors(path) == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../spec/schema.json"


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_an_editor_sees_wrong_keys_values_and_units(path):
    """What the loader refuses for its form, the schema refuses too."""
    assert _errors(path)


def test_every_property_says_what_it_is():
    """Hover text: each key of each section has a description, or its section has one."""
    definitions = schema()["$defs"]
    silent = [
        f"{name}.{key}"
        for name, definition in definitions.items()
        for key, entry in definition.get("properties", {}).items()
        if "description" not in entry and "$ref" not in entry
    ]
    assert silent == []
    assert [name for name, definition in definitions.items() if "description" not in definition] == []

"""`explain KEY`: every key of the language has a purpose, a form, a default and a true example."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from trainwright.compiler.help.explain_key import Key, explain_key, keys, section_of
from trainwright.spec.facts import facts
from trainwright.spec.problem import InputError
from trainwright.spec.yaml_source import parse

KEYS = {key.path: key for key in keys()}


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.path)
def test_every_key_is_explained(key: Key):
    """Purpose, what it takes and default are there, and none of it is about Python."""
    text = explain_key(key.path)[0].text
    lines = text.splitlines()
    assert lines[0].startswith(f"{key.path}: ")
    assert key.meaning
    assert [line.partition(":")[0] for line in lines[-3:]] == ["takes", "default", "example"]
    assert all(line.partition(":")[2].strip() for line in lines[-3:]), text
    assert "None" not in text
    assert "<" not in text


@pytest.mark.parametrize("path", [path for path, key in KEYS.items() if not section_of(key.field.annotation)])
def test_every_example_is_a_value_of_its_key(path):
    """What is shown would be read as it stands in a spec."""
    node = parse(f"x: {KEYS[path].example}", "example").child("x")
    field = KEYS[path].field
    adapter = TypeAdapter(field.rebuild_annotation())
    assert adapter.validate_python(node.plain, strict=True, context={"units": True}) is not None


def test_no_example_is_of_a_key_that_is_gone():
    """Each row of the table of examples names a key or the last word of one."""
    ends = {path.rpartition(".")[2] for path in KEYS}
    assert [name for name in facts("key_examples") if name not in KEYS and name not in ends] == []


def test_a_last_word_means_every_key_that_ends_so():
    """`power_cap` is one key; `vocab_size` several."""
    assert [key.path for key in explain_key("power_cap")] == ["cluster.power_cap"]
    assert {"model.vocab_size", "tokenizer.vocab_size"} <= {key.path for key in explain_key("vocab_size")}


def test_a_mistyped_key_gets_the_one_that_was_meant():
    """The nearest key is named."""
    with pytest.raises(InputError) as raised:
        explain_key("cluster.power_cpa")
    assert "cluster.power_cap" in raised.value.problems[0].remedy

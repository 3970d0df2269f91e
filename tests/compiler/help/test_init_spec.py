"""The first spec: whatever presets are chosen, it checks without an error and is formatted."""

from __future__ import annotations

import itertools

import pytest

from trainwright.compiler.check import check_files
from trainwright.compiler.help.format import format_spec
from trainwright.compiler.help.init_spec import Answers, starter_spec
from trainwright.compiler.load.presets import presets
from trainwright.compiler.load.resolve import resolve
from trainwright.spec.problem import InputError
from trainwright.spec.yaml_source import parse

PAIRS = [
    pair
    for pair in itertools.product(presets("model"), presets("cluster"))
    if (pair[1] == "local-cpu") == pair[0].startswith("ladder")
]


@pytest.mark.parametrize(("model", "cluster"), PAIRS)
def test_a_first_spec_has_no_errors(tmp_path, model, cluster):
    """Every model on every kind of cluster that it is meant for."""
    data = "python:stdlib" if cluster == "local-cpu" else "corpus/**/*.jsonl.zst"
    text = starter_spec(Answers("first", model, cluster, None, data, "", "fr"))
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    problems, names = check_files([path])
    assert names == ["first"]
    assert [problem for problem in problems if problem.severity != "note"] == []
    assert format_spec(text, "spec.yaml") == text


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"model": "llama9"}, "TW207"), ({"cluster": "mars"}, "TW207"), ({"tokens": "3"}, "TW206")],
)
def test_a_wrong_answer_is_refused(changed, code):
    """With the code that the spec would get."""
    answers = {
        "name": "a",
        "model": "ladder-2m",
        "cluster": "local-cpu",
        "gpus": 2,
        "data": "a",
        "tokens": "",
        "region": "fr",
    }
    with pytest.raises(InputError) as caught:
        starter_spec(Answers(**(answers | changed)))
    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize(
    "data", ["*.txt", "&a", "a: b", "it's", "[x]", "!x", "null", "on", "{a}", 'a"b', "@x", "%d", "é*"]
)
def test_an_answer_is_one_value(data):
    """Whatever the text of an answer means in YAML, the spec holds it as it was given."""
    text = starter_spec(Answers("first", "ladder-2m", "local-cpu", None, data, "2M", "fr"))
    assert resolve(parse(text, "first.yaml"))[0].data.train[0].path == data

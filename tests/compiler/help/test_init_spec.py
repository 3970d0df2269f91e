"""The first spec: whatever presets are chosen, it checks without an error and is formatted."""

from __future__ import annotations

import itertools

import pytest

from trainwright.compiler.check import check_files
from trainwright.compiler.help.format import format_spec
from trainwright.compiler.help.init_spec import starter_spec
from trainwright.compiler.help.recipes import propose
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
    """Every model on every kind of cluster that it is meant for; formatted, and without a warning."""
    text = starter_spec({"name": "first", "model": model, "cluster": cluster})
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    problems, names = check_files([path])
    assert names == ["first"]
    assert [problem for problem in problems if problem.severity != "note"] == []
    assert format_spec(text, "spec.yaml") == text


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"model": "llama9"}, "TW207"),
        ({"model": "900B"}, "TW207"),
        ({"cluster": "mars"}, "TW207"),
        ({"tokens": "3"}, "TW206"),
        ({"gpus": "many"}, "TW203"),
    ],
)
def test_a_wrong_answer_is_refused(changed, code):
    """With the code that the spec would get."""
    with pytest.raises(InputError) as caught:
        starter_spec(changed)
    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize(
    "data", ["*.txt", "&a", "a: b", "it's", "[x]", "!x", "null", "on", "{a}", 'a"b', "@x", "%d", "é*"]
)
def test_an_answer_is_one_value(data):
    """Whatever the text of an answer means in YAML, the spec holds it as it was given."""
    text = starter_spec({"name": "first", "data": data, "tokens": "2M"})
    assert resolve(parse(text, "first.yaml"))[0].data.train[0].path == data


@pytest.mark.parametrize(("size", "model"), [("7B", "llama2-7b"), ("350M", "ladder-340m"), ("1.3B", "tinyllama-1.1b")])
def test_a_size_means_the_nearest_preset(size, model):
    """Within a factor of two."""
    assert f"model: {model} " in starter_spec({"model": size})


def test_batch_rate_and_warm_up_are_the_published_ones():
    """Llama 2 7B on 2T tokens and 1,024 devices: as the paper says, with the paper named."""
    step = propose(6_738_415_616, 2 * 10**12, 1024, on_cpu=False)
    assert (step.length, step.sequences, step.learning_rate, step.warmup) == (4096, 1024, 3e-4, 2000)
    assert "2307.09288" in step.source


def test_a_short_run_gets_a_smaller_batch_that_its_devices_share():
    """A hundred steps at least, the warm-up a twentieth of them at most."""
    step = propose(6_738_415_616, 10**8, 16, on_cpu=False)
    assert (step.sequences, step.warmup) == (256, 10**8 // (256 * 4096) // 20)

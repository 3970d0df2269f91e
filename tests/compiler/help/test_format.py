"""The formatter: one way to write a spec; comments, order and meaning stay."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

from trainwright.compiler.help.format import format_spec
from trainwright.spec.problem import InputError
from trainwright.spec.yaml_source import parse

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

MESSY = """\
#a comment


name:   messy   # the name
model:
      layers:   4     #four
      heads: 6



tokenizer: { vocab_size : 2048,split_digits: true }
data:
   train:
   - python:stdlib   \r
   -   path: "a#b"
       weight: 3
training: {seed: 1,
           precision: fp32}   # same column
  # margin
"""

NEAT = """\
# a comment

name: messy   # the name
model:
  layers: 4     # four
  heads: 6

tokenizer: {vocab_size: 2048, split_digits: true}
data:
  train:
  - python:stdlib
  - path: "a#b"
    weight: 3
training: {seed: 1,
           precision: fp32}   # same column
# margin
"""


def test_a_messy_spec_becomes_neat():
    """Indents, blanks, comments and empty lines come out the one way."""
    assert format_spec(MESSY, "messy.yaml") == NEAT


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_formatted(path):
    """`trainwright fmt examples/*.yaml` changes nothing."""
    text = path.read_text(encoding="utf-8")
    assert format_spec(text, path.name) == text


def test_a_value_over_several_lines_is_refused():
    """What cannot be formatted safely is left alone, with its place."""
    with pytest.raises(InputError) as caught:
        format_spec("name: a\n  b\n", "spec.yaml")
    assert [(problem.code, problem.place.line) for problem in caught.value.problems] == [("TW103", 1)]


def test_mutants_keep_their_meaning_and_are_formatted_once_and_for_all():
    """2,000 mutants: the text is refused, or means the same after formatting and is not changed again."""
    spec = importlib.util.spec_from_file_location("fuzz", Path(__file__).parents[1] / "test_fuzz.py")
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    luck = random.Random(7)  # noqa: S311 - a test wants the same luck again
    texts = [MESSY, *(path.read_text(encoding="utf-8") for path in fuzz.SEEDS)]
    done = 0
    for _ in range(2_000):
        text = fuzz.mutated(luck.choice(texts), luck)
        try:
            once = format_spec(text, "mutant.yaml")
        except InputError:
            continue
        done += 1
        assert format_spec(once, "mutant.yaml") == once, text
        assert parse(once, "x").plain == parse(text, "x").plain, text
    assert done > 300

"""Broken YAML: what is wrong in plain words, at the place where it began."""

from __future__ import annotations

import pytest

from trainwright.spec.problem import InputError
from trainwright.spec.yaml_source import parse


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("data: {train: *.txt}\n", 1, 16, "a star"),
        ("x: %5\n", 1, 4, "cannot start a value"),
        ("x: @5\n", 1, 4, "cannot start a value"),
        ("name:a\nmodel: b\n", 2, 6, "a colon where no key can be"),
        ('a: 1\nb: "open\nc: 1\n', 2, 4, "this quote is not closed"),
        ("a: 1\nb: {c: 1\nd: 1\n", 2, 4, "this { is not closed"),
        ("a: [1, 2\n", 1, 4, "this [ is not closed"),
        ("a:\n  b: 1\n c: 2\n", 3, 2, "a line that is no `key: value`"),
        ("a:\n\tb: 1\n", 2, 1, "a tab in the indent"),
        ("a: 1\nfoo\nb: 1\n", 2, 1, "a key without its colon"),
        ("a: ]\n", 1, 4, "did not find expected node content"),
    ],
)
def test_a_syntax_error_says_what_is_wrong_where_it_began(text, line, column, words):
    """Not where the parser gave up, when that is another line."""
    with pytest.raises(InputError) as caught:
        parse(text, "spec.yaml")
    problem = caught.value.problems[0]
    assert (problem.code, problem.place.line, problem.place.column) == ("TW102", line, column)
    assert words in problem.message
    assert problem.remedy

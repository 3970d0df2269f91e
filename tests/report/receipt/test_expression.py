"""The arithmetic of receipts: what it computes, and what it refuses."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.report.receipt.expression import ExpressionError, evaluate, names, tokenize


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("(1 + 2) * 3", 9.0),
        ("8 / 4 / 2", 1.0),
        ("a.b * 1000 / c_1", 500.0),
        ("sum(a.b, 1, 2*3)", 8.0),
        ("sum(1e16, 1, 1)", 1e16 + 2),
        ("sum()", None),
        ("1 / 0", None),
        ("1 / (a.b - 1)", None),
        ("unknown * 0", None),
        ("sum(1, unknown)", None),
        ("1e308 * 10", None),
        ("1e999", None),
        (" .5 ", 0.5),
    ],
)
def test_an_expression_has_one_value(expression, value):
    """Precedence, left to right, exact sums; what is unknown, divided by zero or out of range is unknown."""
    assert evaluate(expression, {"a.b": 1.0, "c_1": 2.0, "unknown": None}) == value


@pytest.mark.parametrize(
    "expression",
    ["", "1 +", "1 2", "(1", "1)", "sum(1", "sum 1", "sum(1,)(", "a", "-1", "2 ** 3", "1,2", "__import__('os')", "1;2",
     "a.b()", "(" * 50 + "1" + ")" * 50, "\u0661", "x" * 300_000, "1_000"],
)  # fmt: skip
def test_anything_else_is_refused(expression):
    """No other syntax, no unknown name, no depth: an error of its own, at once."""
    began = time.process_time()
    with pytest.raises(ExpressionError):
        evaluate(expression, {})
    assert time.process_time() - began < 1


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_a_sum_is_the_rational_one_rounded_once(values):
    """Whatever the order, the sum is the float nearest to the sum of the exact values."""
    table = {f"v{index}": value for index, value in enumerate(values)}
    exact = float(sum(map(Fraction, values)))
    assert evaluate(f"sum({', '.join(table)})", table) == exact
    assert evaluate(f"sum({', '.join(reversed(table))})", table) == exact


def test_the_names_of_an_expression():
    """`sum` is a word of the language, not a name."""
    assert names(tokenize("sum(a.b, c) * 2e5 / d_1")) == {"a.b", "c", "d_1"}

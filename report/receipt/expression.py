"""The arithmetic of a receipt: names, decimal numbers, + - * /, parentheses and sum(...).

IEEE 754 binary64, left to right, with the usual precedence. `sum` is exact and rounded once, so it hangs on no order.
What rests on an unknown value, divides by zero or leaves the range of binary64 is unknown, and never an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from ...spec.emissions import exact_sum

Number = float | None
LONGEST = 2**18  # characters of an expression: a sum over some thousand runs
DEEPEST = 32  # parentheses within parentheses
_ONE = r"[A-Za-z_][A-Za-z0-9_.]*|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[-+*/(),]"
_TOKEN = re.compile(_ONE, re.ASCII)
_WHOLE = re.compile(rf"(?:\s*+(?:{_ONE}))*+", re.ASCII)


class ExpressionError(ValueError):
    """An expression cannot be read, or uses a name that is not known where it stands."""


def evaluate(expression: str, values: Mapping[str, Number]) -> Number:
    """What an expression comes to; None is unknown. Raises ExpressionError."""
    return compute(tokenize(expression), values)


def compute(tokens: list[str], values: Mapping[str, Number]) -> Number:
    """What the tokens of an expression come to. Raises ExpressionError."""
    parser = _Parser(tokens, values)
    found = parser.total()
    parser.expect("")
    return found


def names(tokens: list[str]) -> set[str]:
    """The values that the tokens of an expression use."""
    return {token for token in tokens if token[0].isalpha() or token[0] == "_"} - {"sum"}


def tokenize(expression: str) -> list[str]:
    """Names, numbers and signs. Raises ExpressionError where there is anything else, or too much of it."""
    if len(expression) > LONGEST:
        raise ExpressionError(f"longer than {LONGEST:,} characters")
    text = expression.strip()
    match = _WHOLE.match(text)
    end = match.end() if match else 0
    if end < len(text):
        raise ExpressionError(f"{text[end : end + 20]!r} is no name, number or sign")
    return _TOKEN.findall(text)


class _Parser:
    """Recursive descent over the tokens of one expression; each method gives the value of what it has read."""

    def __init__(self, tokens: list[str], values: Mapping[str, Number]) -> None:
        self._tokens, self._values = [*tokens, ""], values
        self._at = self._depth = 0

    def expect(self, token: str) -> None:
        """Read this token ('' is the end)."""
        if self._tokens[self._at] != token:
            raise ExpressionError(f"{self._shown()} stands where {token or 'the end'!s} is expected")
        self._at += 1

    def total(self) -> Number:
        """Terms that are added and subtracted."""
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Number:
        return self._chain(("*", "/"), self._factor)

    def _chain(self, signs: tuple[str, str], operand: Callable[[], Number]) -> Number:
        """Operands with one of the signs between them, left to right."""
        found = operand()
        while (sign := self._tokens[self._at]) in signs:
            self._at += 1
            found = _apply(sign, found, operand())
        return found

    def _factor(self) -> Number:
        word = self._tokens[self._at]
        if word == "(":
            return self._enclosed()
        if word == "sum" and self._tokens[self._at + 1] == "(":
            self._at += 1
            return self._sum()
        if not word or word in "+-*/),":
            raise ExpressionError(f"{self._shown()} stands where a value is expected")
        self._at += 1
        if word[0].isdigit() or word[0] == ".":
            return _finite(float(word))
        if word not in self._values:
            raise ExpressionError(f"{word:.60} is not defined before it is used")
        return self._values[word]

    def _enclosed(self) -> Number:
        self._enter()
        found = self.total()
        self._leave()
        return found

    def _sum(self) -> Number:
        self._enter()
        parts: list[Number] = []
        while self._tokens[self._at] != ")":
            if parts:
                self.expect(",")
            parts.append(self.total())
        self._leave()
        return exact_sum(parts)

    def _enter(self) -> None:
        self.expect("(")
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"more than {DEEPEST} parentheses within each other")

    def _leave(self) -> None:
        self.expect(")")
        self._depth -= 1

    def _shown(self) -> str:
        return repr(self._tokens[self._at][:40]) if self._tokens[self._at] else "the end"


def _apply(sign: str, left: Number, right: Number) -> Number:
    if left is None or right is None or (sign == "/" and not right):
        return None
    if sign == "+":
        return _finite(left + right)
    if sign == "-":
        return _finite(left - right)
    return _finite(left * right) if sign == "*" else _finite(left / right)


def _finite(value: float) -> Number:
    return value if math.isfinite(value) else None

"""A receipt in, what does not hold in it out: every expression computed again, every printed digit made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ...spec.number_text import UNKNOWN
from .expression import ExpressionError, compute, names, tokenize
from .ledger import printed
from .values import Number, Receipt

MOST_TOKENS = 250_000  # of all expressions: a thousand runs have half of it, and it is computed in a second
IN_PAPER = ".in_paper"  # an input of this ending is what a paper printed of the number before it


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, and how."""

    where: str
    message: str


def check_receipt(receipt: Receipt) -> list[Difference]:
    """What does not hold in the receipt by itself."""
    found = [*_repeated(receipt)]
    values = {item.name: item.value for item in receipt.inputs}
    room = MOST_TOKENS
    for number in receipt.numbers:
        try:
            tokens = tokenize(number.expression)
            room -= len(tokens)
            if room < 0:
                return [
                    *found,
                    Difference(number.name, f"more than {MOST_TOKENS:,} words of arithmetic are not computed"),
                ]
            found += _wrong(number, tokens, values)
        except ExpressionError as error:
            found.append(Difference(number.name, f"its expression cannot be computed: {error}"))
        values[number.name] = number.value
    return found + list(_other_than_printed(receipt))


def _repeated(receipt: Receipt) -> Iterator[Difference]:
    for name, times in Counter(item.name for item in (*receipt.inputs, *receipt.numbers)).items():
        if times > 1:
            yield Difference(name, f"stands {times} times")


def _wrong(number: Number, tokens: list[str], values: dict[str, float | None]) -> Iterator[Difference]:
    """How a number differs from its expression, and its text from the number. Raises ExpressionError."""
    value = compute(tokens, values)
    if value is not None and not names(tokens):
        yield Difference(number.name, "rests on no input")
    if value != number.value:
        yield Difference(number.name, f"is {_text(number.value)}, but its expression gives {_text(value)}")
    if number.printed is not None and (text := printed(number.value, number.printed).text) != number.printed.text:
        yield Difference(number.name, f"is printed as {number.printed.text}, but its value prints as {text}")


def _other_than_printed(receipt: Receipt) -> Iterator[Difference]:
    """Numbers that a paper printed with other digits."""
    forms = {number.name: number.printed for number in receipt.numbers}
    for item in receipt.inputs:
        form = forms.get(item.name.removesuffix(IN_PAPER))
        if item.name.endswith(IN_PAPER) and form is not None and item.value is not None:
            text = printed(item.value, form.model_copy(update={"rounding": "half to even"})).text
            if text != form.text:
                yield Difference(item.name, f"the paper prints {text}, its own inputs give {form.text}")


def _text(value: float | None) -> str:
    return UNKNOWN if value is None else repr(value)


def explain_totals(receipt: Receipt) -> list[str]:
    """Why printed rows do not add up to a printed total, of each total where they do not."""
    numbers = {number.name: number for number in receipt.numbers}
    return [note for number in receipt.numbers if (note := _explained(number, numbers))]


def _explained(total: Number, numbers: dict[str, Number]) -> str:
    words = total.expression.strip()
    if not (words.startswith("sum(") and words.endswith(")")) or total.printed is None or total.value is None:
        return ""
    rows = [numbers.get(word.strip()) for word in words[4:-1].split(",")]
    known = [row for row in rows if row and row.printed and row.value is not None]
    if len(known) < 2 or len(known) < len(rows):
        return ""
    try:
        added = sum((_decimal(row) for row in known), Decimal(0))
        if added == _decimal(total):
            return ""
    except InvalidOperation:  # a text such as <0.01
        return ""
    cut = [row for row in known if row.printed and row.printed.rounding == "cut"]
    way = "cut, not rounded" if cut else "rounded one by one"
    example = max(cut or known, key=lambda row: abs(float(row.value or 0) / _scale(row) - float(_decimal(row))))
    return (
        f"{total.name}: printed {total.printed.text}, but the printed rows add to {added:,}. The rows are {way} "
        f"({example.name}: {(example.value or 0) / _scale(example):.6g} is printed as {_shown(example)}); the total is "
        f"{total.value / _scale(total):.7g}, the sum of the rows as they are, and rounded once."
    )


def _decimal(number: Number) -> Decimal:
    return Decimal(_shown(number).replace(",", ""))


def _shown(number: Number) -> str:
    return number.printed.text if number.printed else ""


def _scale(number: Number) -> float:
    return number.printed.scale if number.printed else 1.0

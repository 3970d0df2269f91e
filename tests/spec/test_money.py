"""Money keeps the currency that it is written in, and no other is taken for it."""

from __future__ import annotations

import copy

import pytest
from pydantic import TypeAdapter, ValidationError

from trainwright.spec.money import AMOUNT, PRICE, Price

IN_SPEC = {"units": True}


@pytest.mark.parametrize(
    ("dimension", "text", "amount", "currency"),
    [
        (PRICE, "1.80 USD/h", 1.8, "USD"),
        (PRICE, "1.65EUR/h", 1.65, "EUR"),
        (AMOUNT, "1.2M CHF", 1.2e6, "CHF"),
        (AMOUNT, "900 k JPY", 9e5, "JPY"),
    ],
)
def test_an_amount_keeps_its_currency(dimension, text, amount, currency):
    """Read, copied, and written back as it was meant."""
    found = copy.deepcopy(dimension.parse(text))
    assert (found, found.currency) == (amount, currency)
    again = dimension.parse(dimension.text(found))
    assert (again, again.currency) == (amount, currency)


@pytest.mark.parametrize("text", ["1.80", "2 EURO/h", "2 usd/h", "2 XYZ/h", "USD/h", "1e99 USD/h", 1.8, None, True])
def test_what_names_no_currency_is_refused(text):
    """A bare number, a symbol of nobody's money, and a currency that is not in use."""
    with pytest.raises(ValidationError):
        TypeAdapter(Price).validate_python(text, context=IN_SPEC)

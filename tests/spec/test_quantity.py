"""Quantities: units are read exactly, refused when wrong, and written back as a spec writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from trainwright.spec import quantity as q
from trainwright.spec.money import PRICE

DIMENSIONS = [value for value in vars(q).values() if isinstance(value, q.Dimension)]
Power, Tokens = TypeAdapter(q.Watts), TypeAdapter(q.Tokens)
Every = TypeAdapter(q.Annotated[q.Amount, q.AmountIn(("steps", "tokens", "seconds"))])
IN_SPEC = {"units": True}


@pytest.mark.parametrize(
    ("dimension", "text", "value"),
    [
        (q.POWER, "400 W", 400),
        (q.POWER, "0.4kW", 400),
        (q.BANDWIDTH, "200 Gbps", 25e9),
        (q.BANDWIDTH, "25 GB/s", 25e9),
        (q.MEMORY, "80 GiB", 80 * 2**30),
        (q.MEMORY, "4 MB", 4_000_000),
        (q.TOKENS, "2T", 2 * 10**12),
        (q.TOKENS, "4M tokens", 4 * 10**6),
        (q.TIME, "48h", 172_800),
        (q.TIME, "30 min", 1800),
        (q.TIME, "1.5 d", 129_600),
        (q.TIME, "24:00:00", 86_400),
        (q.TIME, "1-00:00:00", 86_400),
        (q.TIME, "2-12:30", 217_800),
        (q.INTENSITY, "385 g/kWh", 0.385),
        (q.MASS, "20 kg", 0.02),
        (PRICE, "1.80 USD/h", 1.8),
        (q.FRACTION, "57%", 0.57),
        (q.FRACTION, "0.01", 0.01),
    ],
)
def test_units_are_read_exactly(dimension, text, value):
    """In decimals, so that 57% is 0.57 and not 0.5700000000000001."""
    assert dimension.parse(text) == value


@pytest.mark.parametrize(
    ("dimension", "text", "words"),
    [
        (q.POWER, "400", "has no unit. Write for example 400 W"),
        (q.POWER, "400 w", "Did you mean W?"),
        (q.BANDWIDTH, "200 gbps", "Did you mean Gbps or GB/s?"),
        (q.BANDWIDTH, "200 Gb/s", "Did you mean Gbps or GB/s?"),
        (q.BANDWIDTH, "3.2 Tbit/s", "Did you mean Tbps or TB/s?"),
        (q.TIME, "90 minutes", "Did you mean min or m?"),
        (q.TOKENS, "2 trillion", "Did you mean T?"),
        (q.INTENSITY, "385 gCO2eq/kWh", "Did you mean g/kWh?"),
        (q.MASS, "2 tonnes", "Did you mean t?"),
        (q.POWER, "400 V", "'V' is not a unit of a power. Write for example 400 W (units: W, kW, MW)."),
        (q.TIME, "24:00", "may be hours or minutes"),
        (q.TOKENS, "many", "'many' is not a number of tokens"),
        (q.MEMORY, "1e300 GB", "too large"),
        (q.POWER, "\u0661 W", "is not a power"),
    ],
)
def test_wrong_units_are_refused_with_the_accepted_forms(dimension, text, words):
    """The message says what is wrong and what to write."""
    with pytest.raises(ValueError, match=r".") as caught:
        dimension.parse(text)
    assert words in str(caught.value)


def test_bits_and_bytes_are_not_confused():
    """200 Gbps are 25 GB/s; a bandwidth in plain bytes or bits a second is no other thing."""
    assert q.BANDWIDTH.parse("200 Gbps") == q.BANDWIDTH.parse("25 GB/s") != q.BANDWIDTH.parse("200 GB/s")
    with pytest.raises(ValueError, match="is not a unit"):
        q.BANDWIDTH.parse("200 GB")


def test_a_bare_number_is_refused_in_a_spec_and_read_in_a_plan():
    """People write units; our own JSON holds base units."""
    assert Power.validate_python(400.0) == 400
    for value in (400, 400.0, True, None):
        with pytest.raises(ValidationError):
            Power.validate_python(value, context=IN_SPEC)
    assert Power.validate_python("400 W", context=IN_SPEC) == 400
    assert Tokens.validate_python("1.2M", context=IN_SPEC) == 1_200_000


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("2000 steps", 2000, "steps"),
        ("1 step", 1, "steps"),
        ("2k steps", 2000, "steps"),
        ("4M tokens", 4e6, "tokens"),
        ("30 min", 1800, "seconds"),
    ],
)
def test_amounts_say_their_unit(text, value, unit):
    """An amount keeps what it is counted in."""
    assert Every.validate_python(text, context=IN_SPEC) == q.Amount(value=value, unit=unit)


@pytest.mark.parametrize(
    "text", ["2000", "4M", "0 steps", "-1 steps", "1 sequence", "2 apples", 7, {"value": 1, "unit": "steps"}]
)
def test_amounts_without_their_unit_are_refused(text):
    """No unit, another's unit, nothing at all, and the plan's own form."""
    with pytest.raises(ValidationError):
        Every.validate_python(text, context=IN_SPEC)


def test_a_plan_keeps_amounts_as_value_and_unit():
    """plan.json holds {value, unit}, and reads it back."""
    amount = q.Amount(value=2000, unit="steps")
    assert Every.validate_json(amount.model_dump_json()) == amount


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.name)
@given(st.floats(min_value=1e-6, max_value=1e15))
def test_what_is_written_reads_back_as_the_same_value(dimension, number):
    """`text` and `parse` are inverse, whatever the value."""
    if not dimension.written:
        return
    value = round(number) if dimension.integer else number
    assert dimension.parse(dimension.text(value)) == pytest.approx(value, rel=1e-15, abs=0)


@given(st.integers(1, 10**15), st.sampled_from(["steps", "tokens", "sequences", "seconds"]))
def test_amounts_read_back_as_the_same_value(value, unit):
    """`Amount.text` is a spec's way to write it."""
    amount = q.Amount(value=value, unit=unit)
    assert q.AmountIn((unit,)).parse(amount.text) == amount

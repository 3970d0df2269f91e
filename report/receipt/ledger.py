"""The ledger that a receipt is written from: inputs as they come, numbers as their expressions give them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...spec.emissions import truncated
from ...spec.number_text import LARGEST_IN_FULL, UNKNOWN, Style
from .expression import evaluate
from .values import Input, Number, Printed


@dataclass(slots=True)
class Ledger:
    """Inputs and numbers in order; each has its own name."""

    inputs: list[Input] = field(default_factory=list)
    numbers: list[Number] = field(default_factory=list)
    values: dict[str, float | None] = field(default_factory=dict)

    def take(self, name: str, value: float | None, unit: str, source: str, date: str | None = None) -> str:
        """An input; its name."""
        known = None if value is None else float(value)
        self.inputs.append(Input(name=name, value=known, unit=unit, source=source, date=date))
        self.values[name] = known
        return name

    def compute(self, name: str, expression: str, unit: str, style: Style | None = None, *, cut: bool = False) -> str:
        """A number, by its expression; its name. `style` is how the table prints it, `cut` that it does not round."""
        value = evaluate(expression, self.values)
        shown = None if style is None else printed(value, Printed(
            text="", scale=style.scale, digits=style.digits, rounding="cut" if cut else "half to even"
        ))  # fmt: skip
        self.numbers.append(Number(name=name, expression=expression, unit=unit, value=value, printed=shown))
        self.values[name] = value
        return name


def printed(value: float | None, form: Printed) -> Printed:
    """The form with the text that it gives to a value."""
    if value is None:
        return form.model_copy(update={"text": UNKNOWN})
    cut = form.rounding == "cut" and abs(value) / form.scale < LARGEST_IN_FULL
    shown = truncated(value / form.scale, form.digits) * form.scale if cut else value
    return form.model_copy(update={"text": Style(form.scale, digits=form.digits)(shown)})

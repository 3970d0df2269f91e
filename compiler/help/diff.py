"""What changed in meaning between two specs, and what that does to memory, time, energy and carbon.

In: two loaded specs. Out: the values that differ, as a spec writes them, and the predictions side by side. Comments,
order, presets and units that say the same are no change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...spec.estimate import Estimate, Range
from ...spec.section import Section
from ...spec.sections import Spec
from ...spec.spec_text import written
from ...spec.units import GIB
from ..plan.estimate import predict


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; None: not set."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One predicted figure of both specs; None: unknown."""

    name: str
    unit: str
    before: float | None
    after: float | None

    @property
    def ratio(self) -> float | None:
        """After over before, where both are known."""
        return self.after / self.before if self.before and self.after is not None else None


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed between two specs, and which predicted figures that moves."""

    changes: list[Change]
    effects: list[Effect]


def changes(before: Spec, after: Spec) -> list[Change]:
    """The values that differ, in the order of the language."""
    old, new = dict(_values(before, "")), dict(_values(after, ""))
    paths = dict.fromkeys([*old, *new])
    return [Change(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path)]


def effects(before: Spec, after: Spec) -> list[Effect]:
    """The predictions for both. Raises InputError when one of them has no layout that fits."""
    old, new = (_figures(predict(spec)) for spec in (before, after))
    return [Effect(name, unit, value, new[name, unit]) for (name, unit), value in old.items()]


def _values(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, field in type(value).model_fields.items():
        below, at = getattr(value, name), f"{path}.{name}" if path else name
        if isinstance(below, Section):
            yield from _values(below, at)
        elif isinstance(below, tuple) and below and isinstance(below[0], Section):
            for index, item in enumerate(below):
                yield from _values(item, f"{at}.{index}")
        else:
            shown = written(below, field)
            yield at, list(shown) if isinstance(shown, tuple) else shown


def _figures(item: Estimate) -> dict[tuple[str, str], float | None]:
    return {
        ("memory a device", "GiB"): item.memory_bytes.value / GIB,
        ("step", "s"): _value(item.step_seconds),
        ("time", "days"): _value(item.days),
        ("device hours", "h"): _value(item.device_hours),
        ("energy", "kWh"): _value(item.energy_kwh),
        ("carbon", "tCO2eq"): _value(item.carbon_tonnes),
        ("carbon, hours x cap", "tCO2eq"): item.paper_carbon_tonnes,
        ("final loss", "nats"): _value(item.final_loss),
    }


def _value(value: Range | None) -> float | None:
    return None if value is None else value.value

"""A spec and the intensity of each hour in, proposals out: as it is, best start, with pauses, with a cap by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...spec.estimate import Estimate, Range
from ...spec.facts import figures
from ...spec.hourly import Hourly, moment
from ...spec.problem import InputError
from ...spec.proposal import CapSpan, Proposal
from ...spec.units import DAY, HOUR
from .optimize import Chosen, Setting, cheapest, contiguous


@dataclass(frozen=True, slots=True)
class Window:
    """Whole hours in which training may take place, and the intensity of each in kg/kWh."""

    begin: float
    intensity: tuple[float, ...]


def window(found: Hourly, begin: float | None, days: float | None) -> Window:
    """The hours from `begin` on (the first that is known) for so many days (all that are known).

    Raises InputError (TW896) where they are not known.
    """
    first = found.begin if begin is None else begin
    hours = int((found.end - first if days is None else days * DAY) // HOUR)
    if hours < 1:
        raise InputError.one("TW896", f"there is no whole hour after {moment(first)}", "Name an earlier --from.")
    means = (found.mean(first + hour * HOUR, first + (hour + 1) * HOUR) for hour in range(hours))
    return Window(first, tuple(means))


def propose(estimates: Sequence[Estimate], own: Estimate, hours: Window) -> list[Proposal]:
    """The proposals; `own` is the spec as it is, `estimates` are the same under each cap.

    Raises InputError (TW897) where not even the fastest of them ends within the window.
    """
    resume = figures("reliability")["restart_seconds"][1] / HOUR
    settings = {item.power_cap_watts: _setting(item) for item in (*estimates, own)}
    as_it_is = settings[own.power_cap_watts]
    found = [
        ("as it is", contiguous(as_it_is, hours.intensity, resume, 0)),
        ("best start", contiguous(as_it_is, hours.intensity, resume)),
        ("start and pauses", cheapest([as_it_is], hours.intensity, resume)),
        ("start, pauses, cap by hour", cheapest(list(settings.values()), hours.intensity, resume)),
    ]
    made = [_proposal(name, choice, own, hours) for name, choice in found if choice is not None]
    if not made:
        needed = min(1 / setting.work for setting in settings.values()) / 24
        message = f"training takes at least {needed:,.1f} days, and the window has {len(hours.intensity) / 24:,.1f}"
        raise InputError.one("TW897", message, "Give more hours, or use more devices.", "--within")
    return made


def _setting(item: Estimate) -> Setting:
    if item.days is None or item.power_watts is None:
        raise InputError.one("TW897", "the draw of these devices is unknown", "Give `cluster.device_power`.", "cluster")
    name = "none" if item.power_cap_watts is None else f"{item.power_cap_watts:g}"
    return Setting(name, 1 / (item.days.value * 24), item.power_watts.value * item.devices / 1000 * item.pue)


def _proposal(name: str, choice: Chosen, own: Estimate, hours: Window) -> Proposal:
    held = sum(1 for setting in choice.settings if setting is not None) - 1 + choice.last
    price = own.cost.value / own.device_hours.value if own.cost and own.device_hours else None
    cost = None if price is None else held * own.devices * price
    return Proposal(
        name=name,
        spans=_spans(choice, hours.begin),
        pauses=choice.pauses,
        kwh=choice.kwh / own.pue,
        kg=choice.kg,
        cost=None if cost is None else Range(value=cost, low=cost, high=cost),
        currency=own.currency,
    )


def _spans(choice: Chosen, begin: float) -> tuple[CapSpan, ...]:
    """Hours of one setting as one span, from the first hour of training on."""
    spans: list[CapSpan] = []
    for hour in range(choice.first, len(choice.settings)):
        setting = choice.settings[hour]
        length = choice.last if hour == len(choice.settings) - 1 else 1.0
        cap = None if setting is None or setting.name == "none" else float(setting.name)
        end = begin + (hour + length) * HOUR
        if spans and (spans[-1].paused, spans[-1].cap_watts) == (setting is None, cap):
            spans[-1] = CapSpan(spans[-1].begin, end, setting is None, cap)
        else:
            spans.append(CapSpan(begin + hour * HOUR, end, setting is None, cap))
    return tuple(spans)

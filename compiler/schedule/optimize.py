"""When to train at which setting: the least carbon for a given amount of work within a window of hours.

Work and energy of an hour depend on the setting that is chosen for it (a power cap, or none: a pause); carbon is energy
times the hour's intensity. First a price of work is found at which doing all of it costs least (the Lagrangian dual,
Everett 1963): no schedule emits less than that bound. Then the hours are walked once; of all ways to have done about so
much work, training or paused, the one is kept that is best at that price (dynamic programming over levels of work).
Every way that is kept is exact, so what is proposed can be done as it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

EFFORT = 40_000  # levels x hours: a second or two
MOST_LEVELS = 20_000
ROUNDS = 50
WHOLE = 1.0 - 1e-12


@dataclass(frozen=True, slots=True)
class Setting:
    """A way to run: work an hour (shares of the whole run) and energy an hour in kWh, cooling with it."""

    name: str
    work: float
    kwh: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """The setting of each hour (None: paused), how much of the last one is used, its energy, and its carbon in kg."""

    settings: tuple[Setting | None, ...]
    last: float
    kg: float
    kwh: float

    @property
    def hours(self) -> float:
        """From the first hour of the window to the end of training."""
        return len(self.settings) - 1 + self.last

    @property
    def first(self) -> int:
        """The hour in which training begins."""
        return next(hour for hour, setting in enumerate(self.settings) if setting is not None)

    @property
    def pauses(self) -> int:
        """How often training is paused and resumed."""
        begun = self.settings[self.first :]
        return sum(1 for hour, setting in enumerate(begun) if setting is not None and hour and begun[hour - 1] is None)


class _Way(NamedTuple):
    """A way through the hours so far: work done, carbon, and how it came about."""

    done: float
    kg: float
    setting: Setting | None
    before: _Way | None


def account(settings: Sequence[Setting | None], intensity: Sequence[float], resume: float) -> Chosen | None:
    """What a choice costs, up to the moment at which all work is done; None where it never is.

    Whenever training begins or resumes, `resume` hours take energy and do no work.
    """
    done = kg = kwh = 0.0
    running = False
    for hour, setting in enumerate(settings):
        if setting is not None:
            lost = 0.0 if running else resume
            share = min(1.0, lost + (1.0 - done) / setting.work)
            done += setting.work * max(share - lost, 0.0)
            kg, kwh = kg + share * setting.kwh * intensity[hour], kwh + share * setting.kwh
            if done >= WHOLE:
                return Chosen(tuple(settings[: hour + 1]), share, kg, kwh)
        running = setting is not None
    return None


def contiguous(setting: Setting, intensity: Sequence[float], resume: float, first: int | None = None) -> Chosen | None:
    """The best start of a run without pauses, or a start at hour `first`; None where the window is too short."""
    starts = range(len(intensity)) if first is None else (first,)
    tried = (account([*[None] * hour, *[setting] * (len(intensity) - hour)], intensity, resume) for hour in starts)
    return min((found for found in tried if found), key=lambda found: found.kg, default=None)


def cheapest(settings: Sequence[Setting], intensity: Sequence[float], resume: float) -> Chosen | None:
    """Start, pauses and setting of each hour for the least carbon; None where even the fastest takes longer."""
    levels = max(1, min(MOST_LEVELS, EFFORT // max(len(intensity), 1)))
    price, _ = price_of_work(settings, intensity, resume)
    left = len(intensity) * max(setting.work for setting in settings)
    paused, training = {0: _Way(0.0, 0.0, None, None)}, dict[int, _Way]()
    best: tuple[float, _Way] | None = None
    for kg in intensity:
        left -= max(setting.work for setting in settings)
        bound = best[0] if best else float("inf")
        steps = _steps(paused, settings, kg, resume) + _steps(training, settings, kg, 0.0)
        ended = min(((way.kg, way) for way in steps if way.done >= WHOLE), key=lambda pair: pair[0], default=None)
        best = ended if ended and ended[0] < bound else best
        waited = [_Way(way.done, way.kg, None, way) for way in (*paused.values(), *training.values())]
        paused = _least(waited, levels, price)
        useful = [way for way in steps if way.done < WHOLE and way.done + left >= WHOLE and way.kg < bound]
        training = _least(useful, levels, price)
    return account(_choices(best[1]), intensity, resume) if best else None


def price_of_work(settings: Sequence[Setting], intensity: Sequence[float], resume: float) -> tuple[float, float]:
    """The price of all work at which the bound is highest, and that bound: no schedule emits less, in kg."""
    dearest = max(setting.kwh / setting.work for setting in settings) * max(intensity, default=0.0)
    low, high = 0.0, 2 * dearest / (1 - resume)
    for _ in range(ROUNDS):  # the bound is concave in the price: the better third holds the top
        first, second = low + (high - low) / 3, high - (high - low) / 3
        if _bound(settings, intensity, resume, first) < _bound(settings, intensity, resume, second):
            low = first
        else:
            high = second
    price = (low + high) / 2
    return price, _bound(settings, intensity, resume, price)


def _bound(settings: Sequence[Setting], intensity: Sequence[float], resume: float, price: float) -> float:
    """What all work is paid, less what is best earned with it hour by hour: never above the least carbon."""
    paused, training = 0.0, float("inf")
    for kg in intensity:
        on = min(training + setting.kwh * kg - price * setting.work for setting in settings)
        begun = min(paused + setting.kwh * kg - price * setting.work * (1 - resume) for setting in settings)
        paused, training = min(paused, training), min(on, begun)
    return price + min(paused, training)


def _steps(ways: dict[int, _Way], settings: Sequence[Setting], intensity: float, lost: float) -> list[_Way]:
    """Each way with an hour at each setting after it; the last hour only as long as there is work."""
    made: list[_Way] = []
    for way in ways.values():
        for setting in settings:
            share = min(1.0, lost + (1.0 - way.done) / setting.work)
            done = way.done + setting.work * max(share - lost, 0.0)
            made.append(_Way(done, way.kg + share * setting.kwh * intensity, setting, way))
    return made


def _least(ways: Sequence[_Way], levels: int, price: float) -> dict[int, _Way]:
    """Of the ways with about the same work done the one with the least carbon, its work paid for."""
    found: dict[int, _Way] = {}
    for way in ways:
        level = int(way.done * levels)
        if level not in found or way.kg - price * way.done < found[level].kg - price * found[level].done:
            found[level] = way
    return found


def _choices(way: _Way) -> list[Setting | None]:
    chosen: list[Setting | None] = []
    while way.before is not None:
        chosen.append(way.setting)
        way = way.before
    return chosen[::-1]

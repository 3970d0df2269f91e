"""Each rank's device over a run, from the log's `devices` events, and the ranks that differ from the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from ...spec.device_row import DeviceRow
from ...spec.display_units import TIMES
from ...spec.event_fields import number
from ...spec.events import DevicesEvent, Event
from ...spec.facts import figures
from ...spec.foreign_text import for_terminal
from ...spec.number_text import percent, with_unit
from ..values import Outlier

OFF: float = figures("reporting")["outlier_distance"]
SCATTER: float = figures("reporting")["outlier_scatter"]
HOT: float = figures("reporting")["held_down"]
MEANS = ("own_seconds", "watts", "clock_mhz", "power_capped", "too_hot", "slowed_by_hardware")
HIGHEST = ("temperature_celsius", "memory_bytes")


def device_rows(events: Iterable[Event]) -> list[DeviceRow]:
    """A row a rank and node, over all attempts: means weighted by time, highest values, and all its joules."""
    found: dict[tuple[int, str], list[tuple[float, DeviceRow]]] = defaultdict(list)
    for event in events:
        if isinstance(event, DevicesEvent):
            for row in event.rows():
                if row.rank is not None and row.rank >= 0:
                    found[row.rank, row.node].append((max(event.seconds or 0.0, 0.0), row))
    return [_whole(found[key]) for key in sorted(found)]


def outliers(rows: Sequence[DeviceRow]) -> list[Outlier]:
    """The ranks whose clock or own time stands out, or that heat or hardware hold down; by rank."""
    clock, own = (_limits([getattr(row, name) for row in rows]) for name in ("clock_mhz", "own_seconds"))
    found: list[Outlier] = []
    for row in rows:
        words: list[str] = []
        if row.clock_mhz is not None and clock and row.clock_mhz < clock[0] - clock[1]:
            words.append(f"{row.clock_mhz:,.0f} MHz against {clock[0]:,.0f}")
        if row.own_seconds is not None and own and row.own_seconds > own[0] + own[1]:
            words.append(f"{with_unit(row.own_seconds, TIMES)} of its own a step against {with_unit(own[0], TIMES)}")
        words += _held_down(row, slow=bool(words))
        if words and row.rank is not None:
            found.append(Outlier(rank=row.rank, node=row.node, what=", ".join(words)))
    return found


def _held_down(row: DeviceRow, *, slow: bool) -> list[str]:
    """What holds a device down. The power cap holds down most devices of a capped run: it only explains slow ones."""
    shares = (
        ("power-capped", row.power_capped, 0.0 if slow else 1.0),
        ("held down by heat", row.too_hot, HOT),
        ("held down by hardware", row.slowed_by_hardware, HOT),
    )
    return [f"{name} {percent(share, 0)} of the time" for name, share, least in shares if share and share > least]


def _limits(values: Sequence[float | None]) -> tuple[float, float] | None:
    """The median, and the distance from it that stands out. None for fewer than three: of two neither is odd."""
    known = [value for value in values if value is not None]
    if len(known) <= 2:
        return None
    middle = median(known)
    return middle, max(OFF * middle, SCATTER * median(abs(value - middle) for value in known))


def _whole(parts: Sequence[tuple[float, DeviceRow]]) -> DeviceRow:
    last = parts[-1][1]
    joules = [row.joules for _, row in parts if row.joules is not None]
    return DeviceRow(
        rank=last.rank,
        node=for_terminal(last.node),
        device=for_terminal(last.device),
        joules=number(sum(joules)) if joules else None,
        **{name: _mean([(seconds, getattr(row, name)) for seconds, row in parts]) for name in MEANS},
        **{
            name: max((v for _, row in parts if (v := getattr(row, name)) is not None), default=None)
            for name in HIGHEST
        },
    )


def _mean(parts: Sequence[tuple[float, float | None]]) -> float | None:
    known = [(seconds, value) for seconds, value in parts if value is not None]
    total = sum(seconds for seconds, _ in known)
    if not total:
        return known[-1][1] if known else None
    return number(sum(seconds * value for seconds, value in known) / total)

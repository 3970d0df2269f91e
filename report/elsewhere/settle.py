"""Usages in, those that count out, each hour once; what is left out is named, and what cannot be told apart refused.

1. Of spans of one device that lie within each other (windows of Zeus, two exports of one meter) the longest counts.
2. Spans of one device that overlap without that are refused: nobody knows how the joules are shared.
3. Of one name in several sources, at overlapping or unknown times, the better measured one counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...spec.emissions import exact_sum
from ...spec.problem import InputError, Problem
from .usage import Usage, interval

_RANK = {"measured": 0, "partly measured": 1, "estimated": 2, "unknown": 3}
MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Settled:
    """What counts, and what was left out, in words."""

    usages: tuple[Usage, ...]
    left_out: tuple[str, ...]


def settle(usages: Sequence[Usage]) -> Settled:
    """Each hour once. Raises InputError (TW893) where usages of one device overlap in part."""
    dropped, problems = _within_each_other(usages)
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    kept = [usage for index, usage in enumerate(usages) if index not in dropped]
    merged = _merged(kept)
    notes = _summary([(usages[index], usages[by]) for index, by in sorted(dropped.items())])
    again = _same_work(merged)
    notes += [f"{lost.name} of {lost.place} is counted once, as {by.place} has it" for lost, by in again]
    lost = {id(one) for one, _ in again}
    return Settled(tuple(usage for usage in merged if id(usage) not in lost), tuple(notes))


def _within_each_other(usages: Sequence[Usage]) -> tuple[dict[int, int], list[Problem]]:
    """Usages that lie within others, with those; overlaps that do not."""
    devices: dict[str, list[tuple[float, float, int]]] = defaultdict(list)
    for index, usage in enumerate(usages):
        for span in usage.spans:
            devices[span.device].append((span.begin, -span.end, index))
    dropped: dict[int, int] = {}
    problems: dict[tuple[int, int], Problem] = {}
    for device, spans in devices.items():
        outer_end, outer = float("-inf"), -1
        for begin, minus_end, index in sorted(spans, key=lambda span: (span[0], span[1], _rank(usages[span[2]]))):
            if begin >= outer_end:
                outer_end, outer = -minus_end, index
            elif -minus_end <= outer_end:
                dropped.setdefault(index, outer)
            elif outer not in dropped:
                problems.setdefault((outer, index), _overlap(usages[outer], usages[index], device))
    return dropped, list(problems.values())


def _rank(usage: Usage) -> int:
    return _RANK.get(usage.basis, 2)


def _overlap(first: Usage, second: Usage, device: str) -> Problem:
    message = f"{first.place} and {second.place} overlap in time on {device}, neither within the other"
    return Problem("TW893", "error", message, "Cut one of them, or leave it out: shared joules have no owner.")


def _summary(dropped: Sequence[tuple[Usage, Usage]]) -> list[str]:
    """One sentence a pair of files, not one a window."""
    pairs: dict[tuple[str, str], list[str]] = defaultdict(list)
    for lost, by in dropped:
        pairs[_file(lost), _file(by)].append(lost.place)
    return [
        f"{places[0]} lies within another of {by} and is counted once there"
        if len(places) == 1
        else f"{len(places):,} of {lost} lie within others of {by} and are counted once there"
        for (lost, by), places in pairs.items()
    ]


def _file(usage: Usage) -> str:
    return usage.place.rpartition(":")[0] or usage.place


def _merged(usages: Sequence[Usage]) -> list[Usage]:
    """Windows of one name, file and method as one."""
    groups: dict[tuple[str, str, str], list[Usage]] = defaultdict(list)
    for usage in usages:
        groups[usage.name, _file(usage), usage.method].append(usage)
    return [group[0] if len(group) == 1 else _sum(group) for group in groups.values()]


def _sum(group: Sequence[Usage]) -> Usage:
    spans = tuple(span for usage in group for span in usage.spans)
    begin, end = interval(spans)
    known = all(usage.begin is not None for usage in group)
    hours = exact_sum([usage.device_hours for usage in group])
    covered = exact_sum([_times(usage.coverage, usage.device_hours) for usage in group])
    host = [usage.host_kwh for usage in group]
    return replace(
        group[0],
        place=_file(group[0]),
        basis=max((usage.basis for usage in group), key=lambda basis: _RANK.get(basis, 2)),
        device_hours=hours,
        energy_kwh=exact_sum([usage.energy_kwh for usage in group]),
        host_kwh=exact_sum(host) if any(host) else None,
        coverage=covered / hours if covered is not None and hours else None,
        begin=begin if known else None,
        end=end if known else None,
        spans=spans,
    )


def _times(share: float | None, hours: float | None) -> float | None:
    return None if share is None or hours is None else share * hours


def _same_work(usages: Sequence[Usage]) -> list[tuple[Usage, Usage]]:
    """Usages of a name that another source has too, at a time that may be the same, with the one that counts."""
    names: dict[str, list[Usage]] = defaultdict(list)
    for usage in usages:
        names[usage.name].append(usage)
    return [pair for group in names.values() if len(group) > 1 for pair in _doubles(group)]


def _doubles(group: Sequence[Usage]) -> Iterator[tuple[Usage, Usage]]:
    kept: list[Usage] = []
    for usage in sorted(group, key=lambda one: (_rank(one), -(one.coverage or 0.0))):
        by = next((other for other in kept if _may_be_one(usage, other)), None)
        if by is None:
            kept.append(usage)
        else:
            yield usage, by


def _may_be_one(first: Usage, second: Usage) -> bool:
    if first.begin is None or first.end is None or second.begin is None or second.end is None:
        return True
    return first.begin < second.end and second.begin < first.end

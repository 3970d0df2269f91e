"""A project's ledger: what all runs of a store took, by month, person, model and outcome, the failed ones with them.

A long run spans months and may have started often, so it is counted attempt by attempt, each in the month in which it
began. Tokens are those that count in the end; hours, energy and carbon are all that was used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from ...spec.display_units import ENERGIES, MASSES
from ...spec.emissions import exact_sum
from ...spec.number_text import UNKNOWN, count, significant, style
from ...spec.units import HOUR
from ..accounting.emissions_row import emitted
from ..document import Document, generator
from ..values import Attempt, Run
from .cells import Cell, Table, styled, text

OUTCOMES = {"done": "finished", "never started": "never started", "unfinished": "no stop event"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An attempt of a run, or a run that never had one; `carbon_tonnes` is of all that the run counts."""

    run: str
    folder: str
    person: str
    model: str
    month: str
    outcome: str
    tokens: float | None
    device_hours: float | None
    energy_kwh: float | None
    carbon_tonnes: float | None
    cost: float | None
    currency: str


def entries(run: Run, person: str) -> list[Entry]:
    """What a run adds to the ledger."""
    outcome = _outcome(run)
    if not run.attempts:
        return [Entry(run.name, run.folder, person, run.model, UNKNOWN, outcome, 0.0, 0.0, 0.0, 0.0, None, "")]
    held = exact_sum([_hours(attempt) for attempt in run.attempts])
    kept = sum(max(_kept(attempt), 0) for attempt in run.attempts)
    return [_entry(run, attempt, (person, outcome), (held, kept)) for attempt in run.attempts]


def _entry(run: Run, attempt: Attempt, who: tuple[str, str], whole: tuple[float | None, int]) -> Entry:
    hours = _hours(attempt)
    share = hours / whole[0] if hours is not None and whole[0] else None
    own = emitted(attempt.energy_kwh, attempt.carbon)
    wider = _less(run.actual.counted_tonnes, run.actual.carbon_tonnes)
    tokens = run.training.tokens
    return Entry(
        run=run.name,
        folder=run.folder,
        person=who[0],
        model=run.model,
        month=_month(attempt.began),
        outcome=who[1],
        tokens=0.0 if not whole[1] else None if tokens is None else tokens * max(_kept(attempt), 0) / whole[1],
        device_hours=hours,
        energy_kwh=attempt.energy_kwh,
        carbon_tonnes=None if own is None or wider is None or share is None else own + wider * share,
        cost=None if run.actual.cost is None or share is None else run.actual.cost * share,
        currency=run.actual.currency,
    )


def _less(whole: float | None, part: float | None) -> float | None:
    return None if whole is None or part is None else whole - part


def _hours(attempt: Attempt) -> float | None:
    return None if attempt.world_size is None else attempt.seconds * attempt.world_size / HOUR


def _kept(attempt: Attempt) -> int:
    return attempt.to_step - attempt.lost_steps - attempt.from_step


def _month(moment: float | None) -> str:
    try:
        return UNKNOWN if moment is None else f"{datetime.fromtimestamp(moment, UTC):%Y-%m}"
    except (OverflowError, OSError, ValueError):
        return UNKNOWN


def _outcome(run: Run) -> str:
    """How the run stands: finished, stopped and why, or without an end."""
    word = run.status.partition(":")[0]
    return OUTCOMES.get("done" if word == "finished" else word, run.status)


BY: dict[str, Callable[[Entry], str]] = {
    "month": lambda entry: entry.month,
    "person": lambda entry: entry.person,
    "model": lambda entry: entry.model,
    "outcome": lambda entry: entry.outcome,
}


def grouped_table(found: Sequence[Entry], by: str) -> Table:
    """One row a month, person, model or outcome."""
    of = BY[by]
    groups = [(text(name), list(group)) for name, group in groupby(sorted(found, key=of), key=of)]
    lines = [([name, _runs(group)], group) for name, group in groups]
    return _table((by, f"By {by}"), (by.capitalize(), "Runs"), lines, ([text("Total"), _runs(found)], found))


def runs_table(found: Sequence[Entry]) -> Table:
    """One row a run."""
    groups = [list(group) for _, group in groupby(found, key=lambda entry: entry.folder)]
    names = ("Folder", "Person", "Model", "Outcome", "Starts")
    lines = [([text(word) for word in _words(group[0])] + [_starts(group)], group) for group in groups]
    return _table(("runs", "Runs"), names, lines, ([text("Total"), *[text("")] * 3, _starts(found)], found))


def _words(entry: Entry) -> tuple[str, ...]:
    return entry.folder, entry.person, entry.model, entry.outcome


def _runs(group: Sequence[Entry]) -> Cell:
    runs = len({entry.folder for entry in group})
    return Cell(f"{runs:,}", runs)


def _starts(group: Sequence[Entry]) -> Cell:
    return Cell(f"{len(group):,}", len(group))


Line = tuple[list[Cell], Sequence[Entry]]


def _table(name: tuple[str, str], names: tuple[str, ...], lines: Sequence[Line], total: Line) -> Table:
    energy = style([_sum(group, "energy_kwh") for _, group in lines], ENERGIES)
    mass = style([_sum(group, "carbon_tonnes") for _, group in lines], MASSES)

    def numbers(group: Sequence[Entry]) -> tuple[Cell, ...]:
        tokens, hours = _sum(group, "tokens"), _sum(group, "device_hours")
        return (
            Cell(count(tokens), tokens),
            Cell(significant(hours), hours),
            styled(_sum(group, "energy_kwh"), energy),
            styled(_sum(group, "carbon_tonnes"), mass),
            _money(group),
        )

    headings = (*names, "Tokens", "Device hours", f"Energy ({energy.unit})", f"Carbon ({mass.unit})", "Money")
    return Table(
        *name,
        headings,
        tuple((*words, *numbers(group)) for words, group in lines),
        frozenset(range(len(names) - 1, len(headings))),
        ((*total[0], *numbers(total[1])),),
    )


def _sum(group: Sequence[Entry], key: str) -> float | None:
    return exact_sum([getattr(entry, key) for entry in group])


def _money(group: Sequence[Entry]) -> Cell:
    """Each currency by itself; nothing where no spec gives a price."""
    sums: dict[str, float] = {}
    for entry in group:
        if entry.cost is not None:
            sums[entry.currency] = sums.get(entry.currency, 0.0) + entry.cost
    shown = " + ".join(f"{significant(amount)} {currency}" for currency, amount in sorted(sums.items()))
    return Cell(shown, next(iter(sums.values())), next(iter(sums))) if len(sums) == 1 else text(shown)


def history_document(found: Sequence[Entry], place: str, unreadable: Sequence[str]) -> Document:
    """The ledger as a document."""
    runs = len({entry.folder for entry in found})
    return Document(
        kind="History",
        title=place,
        lede=f"{runs:,} runs, the failed and abandoned ones too; each start counts in the month in which it began.",
        tables=(*(grouped_table(found, by) for by in BY), runs_table(found)),
        notes=(NOTE, *(f"Left out: {note}." for note in unreadable)),
        generator=generator(),
    )


NOTE = (
    "Tokens are those that count in the end. Hours, energy and carbon are all that was used, lost work too; carbon is "
    "that of all scopes that a run counts. A sum with an unknown part is unknown."
)

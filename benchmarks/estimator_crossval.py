"""Leave one publisher out: refit every profile's efficiency without its rows, predict them, compare.

The cost model's shares per software profile (`matmul` in facts/software.yaml) are its fitted numbers. For each
publisher they are fitted again to all others' rows: the factor of a profile is the median over publishers of the
factors that reproduce its remaining rows; a profile with no remaining row takes the median factor of its relatives (the
profiles that share its base), or of all rows, on that device family. What is printed is therefore what the method does
on a source that it has never seen, and how many of those rows lie inside the range that an estimate would print.

    python benchmarks/estimator_crossval.py [--carried]        (--carried: without the rows added later)
"""

from __future__ import annotations

import re
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from trainwright.compiler.backtest.calibrate import _solve
from trainwright.compiler.backtest.published_run import PublishedRun, UnusableRow
from trainwright.compiler.backtest.read_runs import read_runs, read_text
from trainwright.compiler.backtest.run_case import case
from trainwright.compiler.backtest.run_software import date
from trainwright.compiler.cost.case import StepCase
from trainwright.compiler.cost.spread import spread
from trainwright.compiler.cost.step import step
from trainwright.spec.facts import facts

DATA = Path(__file__).parents[1] / "tests" / "data" / "published_runs"
CARRIED = ("published_runs.yaml",)
ADDED = ("new_sources.yaml", "more_rows.yaml", "published_runs_2026-11-28.yaml")
# Titles that begin or continue so are one publisher's: all of it is left out at once.
PUBLISHERS = {
    "BigScience": ("BLOOM", "BigScience"),
    "NVIDIA, NeMo": ("NVIDIA DGX", "NeMo"),
    "NVIDIA, Megatron-LM papers": ("Narayanan", "Korthikanti", "MT-NLG", "Megatron-LM"),
    "IBM": ("IBM", "Supercharging"),
    "SimuMax": ("SimuMax",),
    "torchtitan": ("torchtitan", "PyTorch torchtitan", "AWS awsome-distributed-training torchtitan"),
}


@dataclass(frozen=True)
class Run:
    """A row with its prediction's ingredients: the case at efficiency 1 and the measured seconds."""

    source: str
    profile: str
    family: str
    case: StepCase
    seconds: float
    date: str | None
    factor: float | None  # None: no efficiency reproduces the row, so nothing is fitted to it


def _bare(asked: StepCase, factor: float) -> StepCase:
    return replace(asked, profile=replace(asked.profile, matmul=factor))


def runs(files: tuple[str, ...]) -> list[Run]:
    """Every benchmark row of the files with a throughput."""
    rows = [row for name in files for row in read_runs(DATA / name, read_text(DATA / name))]
    return [run for row in rows if (run := _run(row)) is not None]


def _run(row: PublishedRun) -> Run | None:
    speed = row.speed
    if row.kind != "benchmark" or not speed:
        return None
    try:
        asked = case(row)
    except UnusableRow:
        return None
    seconds = asked.workload.tokens / asked.layout.gpus / speed
    factor = _solve(lambda share: step(_bare(asked, share)).seconds, seconds)
    publisher, family = _publisher(row.source_title or ""), asked.hardware.gpu.family
    return Run(publisher, asked.profile.name, family, asked, seconds, date(row), factor or 2.0)


def _publisher(title: str) -> str:
    found = (name for name, heads in PUBLISHERS.items() if title.startswith(heads))
    return next(found, re.split("[(,]", title, maxsplit=1)[0].strip())


def _relatives(name: str) -> set[str]:
    """The profile that `name` starts from, those that start from it, and those with the same start."""
    base = {profile: row.get("base") for profile, row in facts("software")["profiles"].items()}
    return {other for other in base if base[other] == name or other == base[name] or base[other] == base[name]}


def left_out(source: str, every: list[Run]) -> list[float]:
    """Signed errors of the source's rows, predicted with factors fitted to the others."""
    rest = [run for run in every if run.source != source and run.factor is not None]
    errors: list[float] = []
    for run in (run for run in every if run.source == source):
        kin, near = _relatives(run.profile), [other for other in rest if other.family == run.family]
        same = [other for other in near if other.profile == run.profile]
        same = same or [other for other in rest if other.profile == run.profile]
        same = same or [other for other in near if other.profile in kin]
        same = same or near or rest
        errors.append(run.seconds / step(_bare(run.case, _vote(same))).seconds - 1)
    return errors


def _vote(rows: list[Run]) -> float:
    """The median over publishers of the median factor of their rows, so that long tables do not outvote short ones."""
    by_source: dict[str, list[float]] = defaultdict(list)
    for run in rows:
        by_source[run.source].append(run.factor or 0)
    return statistics.median(statistics.median(factors) for factors in by_source.values())


def main() -> None:
    """Print errors by source, in sample and left out, and the share of rows within the range of an estimate."""
    every = runs(CARRIED if "--carried" in sys.argv else CARRIED + ADDED)
    by_source: dict[str, list[Run]] = defaultdict(list)
    for run in every:
        by_source[run.source].append(run)
    outside: list[float] = []
    inside: list[float] = []
    widths: list[float] = []
    print("| Source | Rows | In sample | Left out | Bias left out |\n| --- | ---: | ---: | ---: | ---: |")
    for source, found in sorted(by_source.items(), key=lambda item: -len(item[1])):
        fitted = [run.seconds / step(run.case).seconds - 1 for run in found]
        errors = left_out(source, every)
        outside += errors
        inside += fitted
        widths += [spread(run.case, "step", run.date) for run in found]
        median = [statistics.median(map(abs, values)) for values in (fitted, errors)]
        print(f"| {source} | {len(found)} | {median[0]:.1%} | {median[1]:.1%} | {statistics.fmean(errors):+.1%} |")
    size = [sorted(map(abs, values)) for values in (inside, outside)]
    middle, ninth = ([values[int(share * len(values))] for values in size] for share in (0.5, 0.9))
    print(f"| **all: median** | {len(every)} | {middle[0]:.1%} | {middle[1]:.1%} | {statistics.fmean(outside):+.1%} |")
    print(f"| **all: 90th percentile** | {len(every)} | {ninth[0]:.1%} | {ninth[1]:.1%} | |")
    held = [_held(values, widths) for values in (inside, outside)]
    print(f"| **all: within the printed range** | {len(every)} | {held[0]:.0%} | {held[1]:.0%} | |")


def _held(errors: list[float], widths: list[float]) -> float:
    """Share of rows whose measured step lies within the range that is printed for them."""
    pairs = zip(errors, widths, strict=True)
    return statistics.fmean(1 / (1 + width) <= 1 + error <= 1 + width for error, width in pairs)


if __name__ == "__main__":
    main()

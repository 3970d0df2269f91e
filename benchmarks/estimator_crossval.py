"""Leave one source out: refit every profile's efficiency without a source, predict that source, compare.

The cost model's shares per software profile (`matmul` in facts/software.yaml) are its fitted numbers. For each source
of the carried rows they are fitted again to all other sources: the factor of a profile is the median of the factors
that reproduce its remaining rows; a profile with no remaining row keeps the median factor of all of them on that
device family. What is printed is therefore what the method does on a source that it has never seen.

    python benchmarks/estimator_crossval.py
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from trainwright.compiler.backtest import read_runs, read_text
from trainwright.compiler.calibrate import _solve
from trainwright.compiler.cost.case import Case
from trainwright.compiler.cost.step import step
from trainwright.compiler.rows import Skipped, case

RUNS = Path(__file__).parents[1] / "tests" / "data" / "published_runs" / "published_runs.yaml"


@dataclass(frozen=True)
class Run:
    """A row with its prediction's ingredients: the case at efficiency 1 and the measured seconds."""

    source: str
    profile: str
    family: str
    case: Case
    seconds: float
    factor: float


def _bare(asked: Case, factor: float) -> Case:
    return replace(asked, profile=replace(asked.profile, matmul=factor))


def runs() -> list[Run]:
    """Every carried benchmark row with a throughput."""
    found: list[Run] = []
    for row in read_runs(RUNS, read_text(RUNS)):
        speed = row.get("calc_tokens_per_s_per_gpu")
        try:
            asked = case(row) if row["kind"] == "benchmark" and speed else None
        except Skipped:
            asked = None
        if asked is None:
            continue
        seconds = asked.work.tokens / asked.layout.gpus / speed
        factor = _solve(lambda share, asked=asked: step(_bare(asked, share)).seconds, seconds)
        source = row["source_title"].split("(")[0].split(",")[0].strip()
        family = asked.machine.gpu.family
        found.append(Run(source, asked.profile.name, family, asked, seconds, factor or 2.0))
    return found


def left_out(source: str, every: list[Run]) -> list[float]:
    """Signed errors of the source's rows, predicted with factors fitted to the others."""
    rest = [run for run in every if run.source != source]
    errors: list[float] = []
    for run in (run for run in every if run.source == source):
        same = [other.factor for other in rest if (other.profile, other.family) == (run.profile, run.family)]
        same = same or [other.factor for other in rest if other.profile == run.profile]
        same = same or [other.factor for other in rest if other.family == run.family]
        errors.append(run.seconds / step(_bare(run.case, statistics.median(same))).seconds - 1)
    return errors


def main() -> None:
    """Print errors by source, in sample and left out."""
    every = runs()
    by_source: dict[str, list[Run]] = defaultdict(list)
    for run in every:
        by_source[run.source].append(run)
    outside: list[float] = []
    inside: list[float] = []
    print("| Source | Rows | In sample | Left out | Bias left out |\n| --- | ---: | ---: | ---: | ---: |")
    for source, found in sorted(by_source.items(), key=lambda item: -len(item[1])):
        fitted = [run.seconds / step(run.case).seconds - 1 for run in found]
        errors = left_out(source, every)
        outside += errors
        inside += fitted
        median = [statistics.median(map(abs, values)) for values in (fitted, errors)]
        print(f"| {source} | {len(found)} | {median[0]:.1%} | {median[1]:.1%} | {statistics.fmean(errors):+.1%} |")
    size = [sorted(map(abs, values)) for values in (inside, outside)]
    middle, ninth = ([values[int(share * len(values))] for values in size] for share in (0.5, 0.9))
    print(f"| **all: median** | {len(every)} | {middle[0]:.1%} | {middle[1]:.1%} | {statistics.fmean(outside):+.1%} |")
    print(f"| **all: 90th percentile** | {len(every)} | {ninth[0]:.1%} | {ninth[1]:.1%} | |")


if __name__ == "__main__":
    main()

"""Report stage 8: a `Report` in, its `Document` out: key numbers, the emissions table, curves, a section a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..spec.display_units import BYTES, ENERGIES, MASSES
from ..spec.number_text import UNKNOWN, count, percent, signed_percent, significant, with_unit
from .document import MOST_SECTIONS, Document, Section, Tile, series_of, title_of
from .tables.emissions import emissions
from .tables.family import scaling
from .tables.run import run_tables
from .values import Report, Row, Run

FORMULA = (
    "Carbon = device energy x PUE x carbon intensity. Device energy is the sum over all devices and attempts; "
    "power is energy over device hours. What no meter covered is labelled; unknown is never counted as zero."
)


def report_document(report: Report) -> Document:
    """The document of a report."""
    return Document(
        kind="Training report",
        title=title_of([run.label for run in report.runs]),
        lede=_lede(report),
        tables=(emissions(report), *((family,) if (family := scaling(report)) else ())),
        tiles=_tiles(report),
        series=tuple(series_of(run) for run in report.runs),
        sections=tuple(Section(run.label, tuple(run_tables(run)), facts(run), run.missing) for run in report.runs),
        notes=(FORMULA, *_left_out(report)),
        generator=report.generator,
    )


def facts(run: Run) -> tuple[tuple[str, str], ...]:
    """The key facts of a run, in words."""
    t = run.training
    return (
        ("status", run.status),
        ("model", f"{run.model}, {count(run.parameters)} parameters"),
        ("devices", _devices(run)),
        ("steps", f"{t.steps:,} of {f'{t.planned_steps:,}' if t.planned_steps else UNKNOWN}"),
        ("tokens", count(t.tokens)),
        ("training loss", significant(t.final_loss)),
        ("validation loss", significant(t.validation_loss)),
        ("validation perplexity", significant(t.validation_perplexity)),
        ("loss of token frequencies", significant(t.unigram_entropy)),
        ("throughput", f"{count(t.tokens_per_second)} tokens/s" if t.tokens_per_second else UNKNOWN),
        ("MFU", percent(t.mfu)),
        ("peak memory", with_unit(t.peak_memory_bytes, BYTES)),
        ("energy metered", percent(run.measured_share)),
    )


def _lede(report: Report) -> str:
    if len(report.runs) == 1:
        (run,) = report.runs
        return f"{count(run.parameters)} parameters on {_devices(run)}: {run.status}."
    if len(report.runs) > MOST_SECTIONS:
        stands = Counter(run.status for run in report.runs)
        return (
            f"{len(report.runs):,} runs: {', '.join(f'{times:,} {status}' for status, times in stands.most_common())}."
        )
    return f"{len(report.runs)} runs. " + " ".join(f"{run.label}: {run.status}." for run in report.runs)


def _left_out(report: Report) -> tuple[str, ...]:
    """Where the tables of each run are, if the page has none."""
    if len(report.runs) <= MOST_SECTIONS:
        return ()
    return ("The tables of each run are in tables/*.csv and report.json; `trainwright report RUN` makes a page.",)


def _devices(run: Run) -> str:
    return f"{run.devices if run.devices is not None else UNKNOWN} x {run.device}"


def _tiles(report: Report) -> tuple[Tile, ...]:
    row = report.actual_total
    tokens = [run.training.tokens for run in report.runs]
    total = sum(value for value in tokens if value is not None) if None not in tokens else None
    hours, watts = significant(row.device_hours, 3), significant(row.power_watts, 3)
    return (
        Tile("Carbon emitted", *_split(with_unit(row.counted_tonnes, MASSES)), _scope(row)),
        Tile("Energy of the devices", *_split(with_unit(row.energy_kwh, ENERGIES)), _against(report, "energy_kwh")),
        Tile("Device hours", hours, "" if hours == UNKNOWN else "h", _against(report, "device_hours")),
        Tile("Mean power a device", watts, "" if watts == UNKNOWN else "W", _against(report, "power_watts")),
        Tile("Tokens", count(total), "", "trained on"),
        _quality(report.runs),
    )


def _scope(row: Row) -> str:
    """What it rests on, and the paper's scope where more is counted."""
    basis = "no energy reading" if row.basis == "unknown" else row.basis
    if row.counted_tonnes == row.carbon_tonnes:
        return basis
    return f"{basis}; devices and cooling {with_unit(row.carbon_tonnes, MASSES)}"


def _split(quantity: str) -> tuple[str, str]:
    value, _, unit = quantity.partition(" ")
    return value, unit


def _against(report: Report, key: str) -> str:
    """How the number compares with the plan, in words."""
    planned = getattr(report.planned_total, key) if report.planned_total else None
    actual = getattr(report.actual_total, key)
    if not planned or actual is None:
        return "no plan to compare with"
    change = signed_percent(actual / planned)
    return "as planned" if change == "+0.0%" else f"{change} on the plan"


def _quality(runs: Sequence[Run]) -> Tile:
    known = [(run.training.validation_loss, run) for run in runs if run.training.validation_loss is not None]
    if not known:
        return Tile("Validation loss", UNKNOWN, "", "not measured")
    best, run = min(known, key=lambda pair: pair[0])
    under = f"perplexity {significant(run.training.validation_perplexity)}"
    return Tile("Validation loss", significant(best), "nats", under if len(runs) == 1 else f"best: {run.label}")

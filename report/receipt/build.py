"""Run folders in, their receipt out: the same report that is printed, as inputs, expressions and digests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...spec.events import Event, StartEvent
from ...spec.number_text import UNKNOWN
from ..accounting.history import RunHistory, read_run_history
from ..build import report_on
from ..formats.csv import codecarbon_csv, table_csv
from ..values import Run
from .files import digest_files, digest_text
from .rows import report_ledger
from .values import MeterGap, Receipt, Record


def build_receipt(folders: Sequence[Path]) -> Receipt:
    """The receipt of one run or several. Raises InputError where a folder is no run folder."""
    histories = [read_run_history(folder) for folder in folders]
    report = report_on(histories)
    ledger = report_ledger(report)
    tables = {"report.csv": table_csv(report), "emissions.csv": codecarbon_csv(report)}
    return Receipt(
        generator=report.generator,
        runs=tuple(
            _record(f"run{index}", run, history)
            for index, (run, history) in enumerate(zip(report.runs, histories, strict=True), 1)
        ),
        inputs=tuple(ledger.inputs),
        numbers=tuple(ledger.numbers),
        tables=tuple(digest_text(name, text) for name, text in tables.items()),
    )


def _record(name: str, run: Run, history: RunHistory) -> Record:
    return Record(
        id=name,
        label=run.label,
        model=run.model,
        devices=f"{UNKNOWN if run.devices is None else run.devices} x {run.device}",
        status=run.status,
        basis=run.actual.basis,
        files=digest_files(history.folder),
        versions=_versions(history.events),
        meters=tuple(dict.fromkeys(attempt.meter for attempt in run.attempts)),
        gaps=tuple(MeterGap(**gap.model_dump()) for gap in run.gaps),
        missing=run.missing,
    )


def _versions(events: Sequence[Event]) -> dict[str, str]:
    """Of the packages that the run used; where attempts used several, all of them."""
    found: dict[str, dict[str, None]] = {}
    for event in events:
        if isinstance(event, StartEvent):
            for package, version in (event.versions or {}).items():
                found.setdefault(package, {})[version] = None
    return {package: ", ".join(versions) for package, versions in sorted(found.items())}

"""Files for programs: report.csv (the table), curves.csv, emissions.csv with CodeCarbon's columns.

Numbers are unrounded; unknown is an empty field, never a zero.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from ...spec.foreign_text import for_csv
from ..receipt.rows import report_ledger
from ..tables.cells import Table
from ..values import Curves, Report, Row, Run

ROW_FIELDS = ("device_hours", "power_watts", "energy_kwh", "carbon_tonnes")


def table_csv(report: Report) -> str:
    """One line a row of the emissions table."""
    rows = [
        (run.label, row) for run in report.runs for row in (run.published, run.planned, run.actual) if row is not None
    ]
    totals = [("Total", row) for row in (report.planned_total, report.actual_total) if row is not None]
    return _csv(("model", "basis", *ROW_FIELDS), (_fields(name, row) for name, row in (*rows, *totals)))


def cells_csv(table: Table) -> str:
    """Any table: its headings, then rows and totals with unrounded numbers; unknown ones and words as they print."""
    rows = [*table.rows, *table.totals]
    return _csv(table.headings, ([cell.text if cell.value is None else cell.value for cell in row] for row in rows))


def _fields(name: str, row: Row) -> list[object]:
    return [name, row.basis, *(getattr(row, key) for key in ROW_FIELDS)]


def curves_csv(report: Report) -> str:
    """One line a kept step of every run, then the validations."""
    names = list(Curves.model_fields)
    lines = (
        [run.label, kind, *values]
        for run in report.runs
        for kind, curves in (("train", run.curves), ("validation", run.validation))
        for values in zip(*(getattr(curves, name) for name in names), strict=True)
    )
    return _csv(("run", "kind", *names), lines)


def codecarbon_csv(report: Report) -> str:
    """One line a run under the column names of CodeCarbon 3 (kg, kWh, W, s).

    As in CodeCarbon, energy includes the PUE. Columns of what was not metered stay empty.
    """
    numbers = report_ledger(report).values
    lines = [codecarbon_line(run, f"run{index}", numbers) for index, run in enumerate(report.runs, 1)]
    return _csv(CODECARBON, ([line.get(name) for name in CODECARBON] for line in lines))


CODECARBON = (
    "timestamp",
    "project_name",
    "run_id",
    "experiment_id",
    "duration",
    "emissions",
    "emissions_rate",
    "cpu_power",
    "gpu_power",
    "ram_power",
    "cpu_energy",
    "gpu_energy",
    "ram_energy",
    "energy_consumed",
    "water_consumed",
    "country_name",
    "country_iso_code",
    "region",
    "cloud_provider",
    "cloud_region",
    "os",
    "python_version",
    "codecarbon_version",
    "cpu_count",
    "cpu_model",
    "gpu_count",
    "gpu_model",
    "longitude",
    "latitude",
    "ram_total_size",
    "tracking_mode",
    "on_cloud",
    "pue",
    "wue",
)


def codecarbon_line(run: Run, name: str, numbers: Mapping[str, float | None]) -> dict[str, object]:
    """The fields of one run that are known; every number is one of its receipt's."""
    part = "cpu" if run.device.upper().startswith("CPU") else "gpu"
    energy = numbers[f"{name}.codecarbon.energy_consumed"]
    return {
        "timestamp": _moment(run.ended),
        "project_name": run.name,
        "run_id": run.label,
        "duration": numbers[f"{name}.codecarbon.duration"],
        "emissions": numbers[f"{name}.codecarbon.emissions"],
        "emissions_rate": numbers[f"{name}.codecarbon.emissions_rate"],
        f"{part}_power": numbers[f"{name}.codecarbon.power"],
        f"{part}_energy": energy,
        "energy_consumed": energy,
        f"{part}_count": run.devices,
        f"{part}_model": run.device,
        "tracking_mode": "process",
        "pue": numbers[f"{name}.pue"],
    }


def _csv(headings: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for line in (headings, *lines):
        writer.writerow(_cell(value) for value in line)
    return out.getvalue()


def _cell(value: object) -> object:
    return "" if value is None else for_csv(value) if isinstance(value, str) else value


def _moment(seconds: float | None) -> str | None:
    """Seconds since 1970 as CodeCarbon writes a moment; None where a log's time is none that a calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") if seconds else None
    except (OverflowError, OSError, ValueError):
        return None

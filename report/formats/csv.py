"""Files for programs: report.csv (the table), curves.csv, emissions.csv with CodeCarbon's columns.

Numbers are unrounded; unknown is an empty field, never a zero.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ...spec.foreign_text import for_csv
from ...spec.number_text import UNKNOWN
from ..receipt.rows import report_ledger
from ..tables.cells import Cell, Table
from ..values import Curves, Report, Row, Run

_PRINTED_UNIT = re.compile(r" \([^()]*\)$")
ROW_FIELDS = (
    "device_hours", "power_watts", "energy_kwh", "carbon_tonnes", "counted_tonnes", "cost", "currency", "water_litres",
)  # fmt: skip


def table_csv(report: Report) -> str:
    """One line a row of the emissions table."""
    rows = [
        (run.label, row) for run in report.runs for row in (run.published, run.planned, run.actual) if row is not None
    ]
    totals = [("Total", row) for row in (report.planned_total, report.actual_total) if row is not None]
    return _csv(("model", "basis", *ROW_FIELDS), (_fields(name, row) for name, row in (*rows, *totals)))


def tables_csv(tables: Sequence[Table]) -> str:
    """Tables of one kind as one, the runs that they are of in the first column; a range is three columns.

    Numbers are unrounded and in the unit of their heading, totals are the last rows, unknown is an empty field.
    """
    records = [record for table in tables for record in _records(table)]
    empty = [heading for table in tables for heading in _unique(table.headings)] if not records else []
    headings = list(dict.fromkeys(name for record in records for name in record)) or empty
    return _csv(headings, ([record.get(name) for name in headings] for record in records))


def _records(table: Table) -> Iterator[dict[str, object]]:
    """Each row of a table as its values by heading."""
    lines = [*table.rows, *table.totals]
    columns = list(zip(_unique(table.headings), *lines, strict=True))
    names = [_named(str(heading), [cell for cell in cells if isinstance(cell, Cell)]) for heading, *cells in columns]
    ranged = [any(line[index].low is not None for line in lines) for index in range(len(names))]
    for line in lines:
        record: dict[str, object] = {"Run": table.of} if table.of else {}
        for name, cell, wide in zip(names, line, ranged, strict=True):
            record[name] = cell.value if cell.value is not None else "" if cell.text == UNKNOWN else cell.text
            if wide:
                record |= {f"{name}, low": cell.low, f"{name}, high": cell.high}
        yield record


def _unique(headings: Sequence[str]) -> list[str]:
    """Headings of which no two are alike."""
    return [
        heading if (before := headings[:index].count(heading)) == 0 else f"{heading} [{before + 1}]"
        for index, heading in enumerate(headings)
    ]


def _named(heading: str, cells: Sequence[Cell]) -> str:
    """A heading with the unit of the numbers below it, in place of the one that they are printed in."""
    unit = next((cell.unit for cell in cells if cell.unit), "")
    return f"{_PRINTED_UNIT.sub('', heading)} ({unit})" if unit else heading


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

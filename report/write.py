"""Report stage 9: a report or another document in, its files out. The only module of the report that writes."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..spec.problem import InputError
from ..spec.run_parts import refuse_part_of_run
from .accounting.curves import thinned_report
from .document import Document
from .formats.csv import codecarbon_csv, curves_csv, table_csv, tables_csv
from .formats.html import page
from .formats.latex import latex
from .formats.markdown import document_markdown
from .formats.model_card import model_card
from .formats.plots import write_plots
from .formats.range_plot import write_comparison
from .summary import report_document
from .tables.cells import Table
from .tables.emissions import emissions
from .values import Report


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write every format into `folder` (made when missing) and give the paths. Raises InputError when it cannot."""
    with _writable(folder):
        return _report_files(report, folder)


def _report_files(report: Report, folder: Path) -> list[Path]:
    light = thinned_report(report)
    document = report_document(light)
    plots = write_plots(document.series, folder)
    texts = {
        "report.html": page(document, {path.stem: path.read_bytes() for path in plots if path.name == "devices.png"}),
        "report.md": document_markdown(document, _images(plots)),
        "report.json": light.model_dump_json(indent=1) + "\n",
        "report.csv": table_csv(report),
        "report.tex": latex(emissions(report)),
        "curves.csv": curves_csv(report),
        "emissions.csv": codecarbon_csv(report),
        "model-card.md": model_card(report),
    }
    return [*_write(texts | _csv_files(document.all_tables), folder), *plots]


def _csv_files(tables: Sequence[Table]) -> dict[str, str]:
    """A file for each kind of table, with the rows of every run."""
    kinds = dict.fromkeys(table.key for table in tables)
    return {f"tables/{kind}.csv": tables_csv([table for table in tables if table.key == kind]) for kind in kinds}


def write_document(document: Document, folder: Path, name: str, data: object) -> list[Path]:
    """Write a document in every format, `data` as its JSON. Raises InputError when it cannot."""
    with _writable(folder):
        return _document_files(document, folder, name, data)


def _document_files(document: Document, folder: Path, name: str, data: object) -> list[Path]:
    plots = [*write_comparison(document.panels, folder), *write_plots(document.series, folder, everything=False)]
    texts = {
        f"{name}.html": page(document),
        f"{name}.json": json.dumps(data, indent=1) + "\n",
        f"{name}.md": document_markdown(document, _images(plots)),
        f"{name}.tex": "\n".join(latex(table) for table in document.all_tables),
    }
    return [*_write(texts | _csv_files(document.all_tables), folder), *plots]


@contextmanager
def _writable(folder: Path) -> Generator[None]:
    """A folder that is made when missing; a full disk or a missing permission is the user's to fix."""
    refuse_part_of_run(folder, "--out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        remedy = "give another folder with --out"
        raise InputError.one("TW865", f"cannot write into {folder}: {error.strerror}", remedy) from error


def _images(plots: Sequence[Path]) -> tuple[str, ...]:
    return tuple(path.name for path in plots if path.suffix == ".png")


def _write(texts: Mapping[str, str], folder: Path) -> list[Path]:
    for name, content in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return [folder / name for name in texts]

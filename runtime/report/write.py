"""Report stage 9: a `Report` in, its files out. The only module of the report that writes."""

from __future__ import annotations

from pathlib import Path

from .data_files import codecarbon_csv, curves_csv, table_csv
from .layouts import latex
from .model_card import model_card
from .page import page
from .plots import write_plots
from .prose import document_markdown
from .summary import report_document
from .tables import emissions
from .values import Report


def write_report(report: Report, folder: Path) -> list[Path]:
    """Write every format into `folder` (made when missing) and give the paths. Raises OSError when it cannot."""
    folder.mkdir(parents=True, exist_ok=True)
    plots = write_plots(report.runs, folder)
    document = report_document(report)
    texts = {
        "report.html": page(document),
        "report.md": document_markdown(document, tuple(path.name for path in plots if path.suffix == ".png")),
        "report.json": report.model_dump_json(indent=1) + "\n",
        "report.csv": table_csv(report),
        "report.tex": latex(emissions(report)),
        "curves.csv": curves_csv(report),
        "emissions.csv": codecarbon_csv(report),
        "model-card.md": model_card(report),
    }
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
    return [*(folder / name for name in texts), *plots]

"""`trainwright reproduce llama2`: a paper's table and figure rebuilt from the checked-in specs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import typer

from ..compiler.cost.loss import final_loss
from ..compiler.load import load
from ..compiler.plan.estimate import predict
from ..spec.estimate import Estimate, Range
from ..spec.facts import facts
from ..spec.problem import InputError
from .options import FormatOption, TableOption, is_text, refuse_options
from .output import print_tables, print_written
from .receipt import write_receipt

POINTS = 200  # of a predicted curve


def command(
    paper: str = typer.Argument(metavar="PAPER", help="Name of the paper: llama2."),
    run: list[Path] = typer.Option([], help="A run to set beside the prediction. Repeatable."),
    form: FormatOption = "text",
    only: TableOption = None,
    out: Path | None = typer.Option(None, "--out", "-o", help="Folder of the document; default reproduce-PAPER."),
    receipt: Path | None = typer.Option(
        None, "--receipt", metavar="FILE", help="Write the receipt of the published rows, for `trainwright verify`."
    ),
) -> None:
    """Rebuild a paper's emissions table; every number says whether it is published, predicted or measured."""
    from ..report.build import build_report
    from ..report.formats.terminal import show
    from ..report.receipt.paper import paper_receipt
    from ..report.tables.paper import paper_document, predicted_series
    from ..report.write import write_document

    papers = facts("papers")
    if paper not in papers:
        raise InputError.one("TW864", f"no paper is called {paper!r}", f"known: {', '.join(papers)}")
    if only or not is_text(form):
        refuse_options({"--out": out}, "names a folder, and a format is printed", "Leave one of them away.")
    estimates = [_predict(name) for name in papers[paper]["specs"]]
    if receipt:
        shown = {"--run": run, "--out": out, "--format": not is_text(form), "--table": only}
        refuse_options(shown, "is about the document, and --receipt writes the receipt", "Leave one of them away.")
        write_receipt(paper_receipt(papers[paper], estimates, _texts(papers[paper]["specs"])), receipt)
        return
    series = [predicted_series(item.name, *_curve(item)) for item in estimates]
    document = paper_document(papers[paper], estimates, series, build_report(run).runs if run else ())

    data = [item.model_dump(mode="json") for item in estimates]
    if only or not is_text(form):
        print_tables(document.all_tables if only else document.tables, form, data, only)
        return
    from ..spec.terminal import Terminal

    console = Terminal()
    folder = out or Path(f"reproduce-{paper}")
    written = write_document(document, folder, paper, data)  # first: `reproduce | head` must leave whole files
    show(document, console, sections=True)
    print_written(written, folder / f"{paper}.html")


def _predict(name: str) -> Estimate:
    return predict(load(_path(name)).spec)


def _path(name: str) -> Path:
    return Path(str(files("trainwright") / "examples" / f"{name}.yaml"))


def _texts(names: Sequence[str]) -> dict[str, str]:
    """The checked-in specs, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in map(_path, names)}


def _curve(item: Estimate) -> tuple[list[float], list[Range | None]]:
    """Predicted loss at equal distances of tokens."""
    tokens = [item.tokens * (index + 1) / POINTS for index in range(POINTS)]
    return tokens, [final_loss(item.parameters, count) for count in tokens]

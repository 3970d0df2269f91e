"""`trainwright compare RUN|SPEC...`: runs as they were and specs as predicted, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import typer

from ..compiler.check import load_checked
from ..compiler.load import Loaded, load_all
from ..compiler.plan.estimate import predict
from ..spec.emissions import intensity
from ..spec.estimate import Estimate
from ..spec.facts import figures
from ..spec.hardware import gpu
from ..spec.problem import InputError
from .options import FormatOption, Sets, TableOption, is_text, refuse_options
from .output import plain, print_tables, print_written

CAP_STEP: int = figures("planning")["cap_step"]  # watts between two points of a sweep


def command(
    what: list[Path] = typer.Argument(metavar="RUN|SPEC", help="Run folders and spec files, in any order."),
    caps: bool = typer.Option(False, "--caps", help="Sweep each spec over the power caps that its device allows."),
    region: list[str] = typer.Option([], help="Also: what each would emit on this grid, e.g. fr. Repeatable."),
    sets: Sets = [],  # noqa: B006 - typer reads it, nobody writes it
    form: FormatOption = "text",
    only: TableOption = None,
    out: Path | None = typer.Option(None, "--out", "-o", help="Write every format and figures into this folder."),
) -> None:
    """Compare clusters, caps, models and grids; the first is what the others are measured against."""
    from ..report.build import build_report
    from ..report.formats.terminal import show
    from ..report.tables.cap_sweep import cap_sweep
    from ..report.tables.compare import Contender, compare_document, of_estimate, of_run, regions
    from ..report.write import write_document
    from ..spec.terminal import Terminal

    places = [replace(intensity(name), place=name) for name in region]
    paths = list(dict.fromkeys(what))
    folders = [path for path in paths if path.is_dir()]
    runs = dict(zip(folders, build_report(folders).runs, strict=True)) if folders else {}
    if len(folders) == len(paths):
        refuse_options({"--set": sets, "--caps": caps}, "is about specs, and these are runs as they were")
    loaded = load_checked([path for path in paths if path not in runs], sets)
    contenders = [
        contender
        for path in paths  # in the order of the words: the first is what the others are measured against
        for contender in (
            [of_run(runs[path])]
            if path in runs
            else [of_estimate(predict(item.spec)) for item in loaded if item.path == path]
        )
    ]
    tables = [cap_sweep(item.spec.name, list(_sweep(item, sets))) for item in loaded] if caps else []
    if places:
        tables.append(regions(contenders, places))
    document = compare_document(contenders, tables, list(runs.values()))
    data = plain(list[Contender], contenders)
    # Files first: `compare | head` must leave whole ones.
    written = write_document(document, out, "compare", data) if out else []
    if only or not is_text(form):
        print_tables(document.tables, form, data, only)
        return
    console = Terminal()
    show(document, console, sections=True)
    if out:
        print_written(written, out / "compare.html")


def _sweep(loaded: Loaded, sets: list[str]) -> Iterator[Estimate]:
    """The spec's estimate at each cap from the device's lowest to its highest, and at its own."""
    device = gpu(loaded.spec.cluster.gpu)
    power = device.power
    if power is None:
        raise InputError.one(
            "TW863",
            f"{device.name} has no power cap to sweep",
            "leave --caps out, or compare a spec of GPUs",
            "cluster.gpu",
        )
    own = loaded.spec.cluster.power_cap
    points = {*range(int(power.lowest), int(power.highest) + 1, CAP_STEP), power.highest, *([own] if own else [])}
    for watts in sorted(points):
        for item in load_all([loaded.path], [*sets, f"cluster.power_cap={watts:g} W"]):
            if item.spec.name == loaded.spec.name:
                yield predict(item.spec)

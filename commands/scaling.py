"""`trainwright scaling SPEC`: throughput and carbon against device count, interconnect and power cap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..compiler.check import load_checked_one
from ..compiler.help.scaling import caps, counts, scaling, setups
from ..report.tables.scaling import ScalingRow, scaling_rows, scaling_table
from ..spec.hardware import gpu
from ..spec.number_text import count
from .options import FormatOption, Sets, SpecFile, Stack
from .output import drawing, plain, print_tables

Gpus = Annotated[str, typer.Option("--gpus", help="Device counts: 8..4096 (doublings) or 8,64,2000.")]
Fabrics = Annotated[str, typer.Option("--interconnect", help="Fabrics to compare, e.g. infiniband,roce.")]
Caps = Annotated[str, typer.Option("--power-cap", help="Power caps to compare, e.g. 400W,350W.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the curves into this .png or .svg file.")]


def command(
    spec: SpecFile,
    gpus: Gpus = "8..4096",
    interconnect: Fabrics = "",
    power_cap: Caps = "",
    plot: Plot = None,
    stack: Stack = None,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    form: FormatOption = "text",
) -> None:
    """The same run on ever more devices; `Of the first` compares with the first fabric and cap at the same count."""
    loaded = load_checked_one(spec, sets)
    kinds = [kind.strip() for kind in interconnect.split(",") if kind.strip()]
    curves = setups(loaded.spec, kinds, caps(power_cap) if power_cap else [])
    rows = scaling_rows(list(scaling(loaded, counts(gpus), curves, stack)))
    spec_ = loaded.spec
    title = f"{spec_.name}: {spec_.model.name}, {count(spec_.data.tokens)} tokens, {gpu(spec_.cluster.gpu).name}"
    title += f", as {stack} runs it" if stack else ""
    print_tables([scaling_table(rows, title)], form, plain(list[ScalingRow], rows))
    if plot:
        from ..report.formats.scaling_plot import write_scaling_plot

        with drawing(plot):
            write_scaling_plot(rows, title, plot)

"""`trainwright plan SPEC`: the parallel layouts that fit, the best first, and why the others lose.

With `--under` the devices and their power cap are planned too, within `limits.site_power`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..api import load, plan
from ..compiler.check import load_checked_one
from ..compiler.help.under_power import Goal, best_point, under_power
from ..compiler.plan.plan_rows import PlanRow, plan_rows
from ..compiler.plan.plan_table import plan_table
from ..report.tables.under_power import under_power_table
from ..spec.hardware import gpu
from ..spec.limits import limit_text
from ..spec.problem import InputError
from ..spec.scaling import ScalingPoint
from ..spec.sections import Spec
from .options import FormatOption, Sets, SpecFile, Stack, TableFormat, refuse_options
from .output import drawing, plain, print_tables

Under = Annotated[bool, typer.Option("--under", help="Plan devices, power cap and layout within limits.site_power.")]
For = Annotated[Goal, typer.Option("--goal", help="With --under: the earliest finish, or the least carbon.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="With --under: draw days and carbon into a .png or .svg.")]
SHOWN = 10  # layouts


def _show_points(
    spec: Spec, points: list[ScalingPoint], best: ScalingPoint | None, form: TableFormat, plot: Path | None
) -> None:
    site = limit_text("site_power", spec.limits.site_power or 0.0) if spec.limits else ""
    title = f"{spec.name}: devices x cap x layout within {site}"
    print_tables([under_power_table(points, best, title)], form, plain(list[ScalingPoint], points))
    if plot:
        from ..report.formats.pareto_plot import write_pareto_plot

        with drawing(plot):
            write_pareto_plot(points, best, title, plot)


def command(
    spec: SpecFile,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    top: Annotated[int | None, typer.Option("--top", min=1, help="How many layouts to show; default: 10.")] = None,
    stack: Stack = None,
    everything: Annotated[bool, typer.Option("--all", help="Show layouts that cannot be run, too.")] = False,
    under: Under = False,
    goal: For = "finish",
    plot: Plot = None,
    form: FormatOption = "text",
) -> None:
    """Search every layout that the runtime can run for this spec. Exit 2, with what would work, when none fits."""
    if under:
        shown = {"--top": top, "--all": everything}
        refuse_options(shown, "is about layouts of the devices of the spec, and --under plans the devices, too")
        loaded = load_checked_one(spec, sets, limits=False)
        points = list(under_power(loaded, stack))
        best = best_point(points, goal)
        _show_points(loaded.spec, points, best, form, plot)
        if best is None:
            message = "no number of these devices under any cap keeps the limits"
            raise InputError.one("TW876", message, "Raise a limit, or use other devices or fewer tokens.", "limits")
        return
    if plot or goal != "finish":
        raise InputError.one("TW875", "--goal and --plot belong to --under", "Add --under, or remove them.", "--under")
    loaded = load(spec, sets)
    found = plan(loaded, stack, everything=everything)
    failing = [candidate for candidate in found.candidates if candidate.step is None][:2]
    shown = [candidate for candidate in found.candidates if candidate.step][: top or SHOWN] + failing
    shown += found.foreign[: top or SHOWN]
    cluster = loaded.spec.cluster
    title = f"{loaded.spec.name}: {len(found.candidates)} legal layouts of {cluster.gpus} x {gpu(cluster.gpu).name}"
    title += f", as {stack} runs them" if stack else ""
    print_tables([plan_table(found, shown, title)], form, plain(list[PlanRow], plan_rows(found, shown)))

"""Report stage 8: runs in, PNG, SVG and PDF out: the loss against tokens (the paper's Figure 5), and the rest.

matplotlib is imported here only, with the Agg backend: no screen is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...spec.display_units import BYTES, COUNTS, MASSES, PLOTTED_ENERGIES, TIMES
from ...spec.foreign_text import for_plot
from ...spec.number_text import Style, style
from ..document import Series
from .heat_plot import heat_maps

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOISY = ("grad_norm", "tokens_per_second", "power_watts", "mfu")
SMOOTHED = 50  # parts of a curve; the loss figure shows the mean over each part, beside the steps themselves
# Okabe and Ito's, distinct with any colour vision: https://jfly.uni-koeln.de/color/ (their yellow is too pale)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MOST_LINES = 12  # named in a legend
UNEQUAL = 20.0  # a run so many times shorter than the longest would be a vertical line on a linear axis


@dataclass(frozen=True, slots=True)
class Metric:
    """A column of the curves and how its axis reads."""

    key: str
    label: str
    units: Sequence[tuple[float, str]] = ((1.0, ""),)


TOKENS = Metric("tokens", "Processed tokens", COUNTS)
BUDGETS = (
    TOKENS,
    Metric("seconds", "Time", TIMES),
    Metric("energy_kwh", "Energy", PLOTTED_ENERGIES),
    Metric("carbon_tonnes", "Carbon", MASSES),
)
QUALITY = (Metric("loss", "Training loss (nats)"), Metric("perplexity", "Training perplexity"))
HEALTH = (
    Metric("learning_rate", "Learning rate"),
    Metric("grad_norm", "Gradient norm"),
    Metric("tokens_per_second", "Throughput (tokens/s)", COUNTS),
    Metric("power_watts", "Power (W)"),
    Metric("memory_bytes", "Memory", BYTES),
    Metric("mfu", "MFU"),
)


def can_plot() -> bool:
    """Whether matplotlib is installed; without it a report has no figures."""
    return find_spec("matplotlib") is not None


def write_plots(runs: Sequence[Series], folder: Path, *, everything: bool = True) -> list[Path]:
    """Write the loss figure, and with `everything` quality and health, as PNG, SVG and PDF; none without steps."""
    if not any(run.curves.step for run in runs) or not can_plot():
        return []
    with plot_settings():
        figures = {"loss": _loss(runs)} | ({"quality": _quality(runs), "health": _health(runs)} if everything else {})
        if everything and (hot := [run for run in runs if run.heat_map is not None]):
            figures["devices"] = heat_maps(hot)
        return [path for name, figure in figures.items() for path in save_figure(figure, folder / name)]


def plot_settings() -> AbstractContextManager[None]:
    """The look of every figure; its bytes do not depend on chance."""
    import matplotlib as mpl

    mpl.use("Agg")
    settings: dict[Any, Any] = {
        "svg.hashsalt": "trainwright",
        "svg.fonttype": "none",  # text that can be searched and takes the reader's font
        "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    return mpl.rc_context(settings)


def save_figure(figure: Figure, stem: Path) -> list[Path]:
    """PNG, SVG and PDF without a date, so that the same run gives the same bytes."""
    paths = [stem.with_suffix(ending) for ending in (".png", ".svg", ".pdf")]
    figure.savefig(paths[0], dpi=160)
    figure.savefig(paths[1], metadata={"Date": None})
    figure.savefig(paths[2], metadata={"CreationDate": None})
    return paths


def new_figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """A figure of `size` inches, and its panels row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes: Any = figure.subplots(rows, columns, squeeze=False)
    return figure, list(axes.flat)


def _loss(runs: Sequence[Series]) -> Figure:
    """Running means, of a lone run over its faint steps; validation as circles; a level that runs share but once."""
    figure, (axes,) = new_figure(1, 1, (6.4, 4.0))
    _draw(axes, _smooth(runs, ("loss",)), TOKENS, QUALITY[0])
    scale = style(_all(runs, TOKENS), TOKENS.units).scale
    several = len(runs) > 1
    for colour, run in zip(COLOURS * len(runs), runs, strict=False):
        _marks(axes, run, colour, scale)
        if not several:
            axes.plot(_scaled(run.curves.tokens, scale), _gapped(run.curves.loss), color=colour, lw=0.6, alpha=0.25)
        if run.validation.step:
            label = f"{for_plot(run.label)}, validation" if not several else "validation" if run is runs[0] else None
            points = _scaled(run.validation.tokens, scale), _gapped(run.validation.loss)
            axes.plot(*points, "o", ms=3.5, mfc="white", color=colour, label=label)
    for bar in sorted({run.bar for run in runs if run.bar is not None}):
        axes.axhline(bar, color="0.4", lw=0.9, ls=":", label="token frequencies alone")
    _legend(axes)
    return figure


def _smooth(runs: Sequence[Series], keys: Sequence[str]) -> list[Series]:
    """Runs with each value of these columns as the mean of those before it, over a fiftieth of the longest run."""
    window = max(1, max(len(run.curves.step) for run in runs) // SMOOTHED)
    return [
        replace(
            run, curves=run.curves.model_copy(update={key: _means(getattr(run.curves, key), window) for key in keys})
        )
        for run in runs
    ]


def _means(values: Sequence[float | None], window: int) -> tuple[float | None, ...]:
    means: list[float | None] = []
    for end in range(1, len(values) + 1):
        known = [value for value in values[max(0, end - window) : end] if value is not None]
        means.append(sum(known) / len(known) if known else None)
    return tuple(means)


def _scaled(values: Sequence[float | None], scale: float) -> list[float]:
    return _gapped([None if value is None else value / scale for value in values])


def _marks(axes: Axes, run: Series, colour: str, scale: float) -> None:
    """Restarts as dashed lines, checkpoints as ticks on the axis."""
    tokens = dict(zip(run.curves.step, run.curves.tokens, strict=True))
    for mark in run.marks:
        at = tokens.get(mark.step)
        if at is not None and mark.kind == "restart":
            axes.axvline(at / scale, color=colour, lw=0.8, ls="--", alpha=0.6)
        if at is not None and mark.kind == "checkpoint":
            axes.plot([at / scale], [0], "|", color=colour, ms=6, transform=axes.get_xaxis_transform(), clip_on=False)


def _quality(runs: Sequence[Series]) -> Figure:
    """Loss and perplexity against every budget that somebody knows."""
    budgets = _known(runs, BUDGETS)
    figure, axes = new_figure(len(QUALITY), len(budgets), (max(3.25 * len(budgets), 5), 5.6))
    pairs = [(metric, budget) for metric in QUALITY for budget in budgets]
    for place, (metric, budget) in zip(axes, pairs, strict=True):
        _draw(place, runs, budget, metric)
        if metric.key == "perplexity":
            place.set_yscale("log")
    _legend(axes[0])
    return figure


def _health(runs: Sequence[Series]) -> Figure:
    """A panel for each metric that somebody knows; of several runs the running means, or the last would hide all."""
    metrics = _known(runs, HEALTH)
    if len(runs) > 1:
        runs = _smooth(runs, NOISY)
    columns = min(len(metrics), 3)
    rows = -(-len(metrics) // columns)
    figure, axes = new_figure(rows, columns, (max(3.7 * columns, 5), 2.8 * rows))
    for place, metric in zip(axes, metrics, strict=False):
        _draw(place, runs, TOKENS, metric)
    for place in axes[len(metrics) :]:
        place.remove()
    _legend(axes[0])
    return figure


def _legend(axes: Axes) -> None:
    """Every line by name; of more than can be told apart the first ones, and how many others there are."""
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > MOST_LINES:
        others = axes.plot([], [], " ")
        handles = [*handles[: MOST_LINES - 1], *others]
        labels = [*labels[: MOST_LINES - 1], f"and {len(labels) - MOST_LINES + 1:,} others"]
    place = "best" if len(handles) < MOST_LINES else "upper right"  # to look for the best one takes long
    axes.legend(handles, labels, edgecolor="none", loc=place)


def _known(runs: Sequence[Series], metrics: Sequence[Metric]) -> list[Metric]:
    """The metrics of which there is any number; the first one where there is none at all."""
    return [metric for metric in metrics if _all(runs, metric)] or [metrics[0]]


def _draw(axes: Axes, runs: Sequence[Series], x: Metric, y: Metric) -> None:
    """One panel: a line a run; says so when nobody knows the numbers."""
    columns = style(_all(runs, x), x.units), style(_all(runs, y), y.units)
    for index, run in enumerate(runs):
        points = [_scaled(getattr(run.curves, m.key), c.scale) for m, c in zip((x, y), columns, strict=True)]
        width = 1.1 + 0.8 * min(len(runs) - 1 - index, 3)  # what lies under another line still shows at its sides
        colour, dashes = COLOURS[index % len(COLOURS)], "--" if run.predicted else "-"
        axes.plot(*points, color=colour, lw=width, ls=dashes, label=for_plot(run.label))
        if run.band and y.key == "loss":
            axes.fill_between(points[0], _gapped(run.band[0]), _gapped(run.band[1]), color=colour, alpha=0.15, lw=0)
    if _unequal(runs, x):
        axes.set_xscale("log")
    if not _all(runs, y) or not _all(runs, x):
        axes.text(0.5, 0.5, "unknown", transform=axes.transAxes, ha="center", color="0.5")
    axes.set_xlabel(_axis(x, columns[0]))
    axes.set_ylabel(_axis(y, columns[1]))
    axes.grid(alpha=0.25, lw=0.5)


def _axis(metric: Metric, column: Style) -> str:
    if not column.unit:
        return metric.label
    return (
        f"{metric.label} ({column.unit})" if "(" not in metric.label else metric.label.replace("(", f"({column.unit} ")
    )


def _all(runs: Sequence[Series], metric: Metric) -> list[float]:
    return [value for run in runs for value in getattr(run.curves, metric.key) if value is not None]


def _unequal(runs: Sequence[Series], metric: Metric) -> bool:
    """Whether one run is so much shorter than another that a linear axis would not show it."""
    ends = [max(_all([run], metric), default=0.0) for run in runs]
    known = [end for end in ends if end > 0]
    return bool(known) and max(known) > UNEQUAL * min(known)


def _gapped(values: Sequence[float | None]) -> list[float]:
    """Values with unknown ones as holes in the line."""
    return [float("nan") if value is None else value for value in values]

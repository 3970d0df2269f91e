"""Draw docs/img/estimator_*.png: predicted against actual for every kind of carried row, and the power curve.

python benchmarks/estimator_plots.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from trainwright.compiler.backtest.backtest import Prediction, backtest
from trainwright.compiler.cost.power import operating_point
from trainwright.spec.facts import facts
from trainwright.spec.hardware import gpu

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data" / "published_runs"
IMAGES = ROOT / "docs" / "img"
PANELS = {"throughput": "tokens/s and GPU", "memory": "GiB", "gpu_hours": "GPU-hours", "iteration_time": "s"}


def panel(axis: plt.Axes, kind: str, rows: list[Prediction]) -> None:
    """One kind: log-log, the diagonal, and bands of 10% and 20%."""
    actual, predicted = [row.actual for row in rows], [row.predicted for row in rows]
    low, high = min(actual + predicted) / 1.3, max(actual + predicted) * 1.3
    for band, shade in ((0.2, 0.15), (0.1, 0.25)):
        axis.fill_between(
            [low, high],
            [low * (1 - band), high * (1 - band)],
            [low * (1 + band), high * (1 + band)],
            color="tab:blue",
            alpha=shade,
            lw=0,
        )
    axis.plot([low, high], [low, high], color="black", lw=0.8)
    axis.scatter(actual, predicted, s=9 if len(rows) < 200 else 4, color="tab:red", alpha=0.6, lw=0)
    axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), xlabel="actual", ylabel="predicted")
    axis.set_title(f"{kind.replace('_', ' ')} ({PANELS[kind]}), n = {len(rows)}", fontsize=10)


def main() -> None:
    """Write both figures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    rows = [
        row
        for name in ("published_runs.yaml", "vtrain_multi.csv", "vtrain_single.csv")
        for row in backtest(DATA / name).rows
    ]
    drawn, axes = plt.subplots(2, 2, figsize=(9, 8.4), layout="constrained")
    for axis, kind in zip(axes.flat, PANELS, strict=True):
        panel(axis, kind, [row for row in rows if row.kind == kind])
    drawn.savefig(IMAGES / "estimator_backtest.png", dpi=120)
    drawn, axis = plt.subplots(figsize=(6.4, 4), layout="constrained")
    chip = gpu("A100")
    for load, curve in facts("power")["curves"]["ampere"].items():
        watts = range(100, 401, 5)
        (line,) = axis.plot(watts, [operating_point(chip, cap, load).speed for cap in watts], label=load)
        axis.scatter([p[0] for p in curve["points"]], [p[1] for p in curve["points"]], color=line.get_color(), s=16)
    axis.set(xlabel="Power cap of an A100 (W)", ylabel="Throughput against 400 W", ylim=(0, 1.05))
    axis.grid(alpha=0.3)
    axis.legend(frameon=False)
    drawn.savefig(IMAGES / "estimator_power.png", dpi=120)


if __name__ == "__main__":
    main()

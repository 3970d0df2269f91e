"""`watch`: a run's progress drawn in the terminal, refreshed while it runs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..spec.display_units import ENERGIES, MASSES, TIMES
from ..spec.events import PREPARATION_FAILED
from ..spec.log_tail import catch_up
from ..spec.number_text import UNKNOWN, count, percent, significant, with_unit
from ..spec.run_folder import RunFolder
from ..spec.run_progress import EventFollower, Progress
from .accounting.devices import outliers
from .accounting.emissions_row import emitted
from .accounting.history import RunHistory, read_run_history
from .status import last_step

BLOCKS = "▁▂▃▄▅▆▇█"
REFRESH = 1.0  # seconds
SHOWN = 5  # ranks that stand out


def watch(folder: Path, console: Console, running: bool) -> None:
    """Follow a run until it ends; without a terminal, or when it has ended, draw it once. Raises InputError."""
    history = read_run_history(folder, events=False)
    follower, progress = _followed(folder, running)
    if not console.is_terminal or progress.ended:
        console.print(draw(history, progress, console.width))
        return
    with Live(draw(history, progress, console.width), console=console, auto_refresh=False) as live:
        while not progress.ended:
            time.sleep(REFRESH)
            _catch_up(follower, progress)
            live.update(draw(history, progress, console.width), refresh=True)


def standing(folder: Path, running: bool) -> tuple[RunHistory, Progress]:
    """Where a run stands now. Raises InputError when `folder` is no run."""
    history = read_run_history(folder, events=False)
    _, progress = _followed(folder, running)
    if running and progress.ended == PREPARATION_FAILED:  # of an earlier start
        progress.phase, progress.ended = "preparing", ""
    return history, progress


def _followed(folder: Path, running: bool) -> tuple[EventFollower, Progress]:
    """A log that was read to its end; what runs without a start in it is being prepared."""
    log, progress = RunFolder(folder).events, Progress(phase="preparing" if running else "not started")
    return EventFollower(log, catch_up(log, progress)), progress


def _catch_up(follower: EventFollower, progress: Progress) -> None:
    for event in follower.new_events():
        progress.update(event)


def draw(history: RunHistory, progress: Progress, width: int) -> RenderableType:
    """The run as one panel."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in _lines(history, progress):
        grid.add_row(name, Text(value))
    if len(progress.losses) > 1:
        grid.add_row("", Text(sparkline(progress.losses, min(width - 24, 80)), style="cyan"))
    steps = last_step(history, progress)
    bar = Table.grid(expand=True)  # a bare bar ends without a line break
    bar.add_row(ProgressBar(total=steps, completed=progress.step) if steps else Text(""))
    title = Text(f" {history.name}: {progress.phase} ", style="bold")
    return Panel(Group(bar, grid), title=title, title_align="left", padding=(1, 2))


def _lines(history: RunHistory, p: Progress) -> list[tuple[str, str]]:
    steps = last_step(history, p)
    share = f" ({p.step / steps:.1%})" if steps else ""
    left = "" if p.ended or not p.recent else f", {with_unit(p.seconds_left(steps), TIMES)} left"
    lines = [("step", f"{p.step:,} of {f'{steps:,}' if steps else UNKNOWN}{share}{left}")]
    if p.step:
        lines += _figures(history, p)
    if p.attempt:
        lines.append(("attempt", str(p.attempt)))
    since = "" if p.since is None else f" since step {p.since:,}"
    if found := outliers(list(p.devices.values())):
        more = [f"and {len(found) - SHOWN} more ranks"] if len(found) > SHOWN else []
        lines.append(("stand out", "\n".join([*map(str, found[:SHOWN]), *more])))
    if p.faults:
        lines.append(("faults", f"{p.faults}{since}, last: {p.last_fault}"))
    if p.time is not None and not p.ended:
        lines.append(("last event", f"{with_unit(max(time.time() - p.time, 0.0), TIMES)} ago"))
    return lines


def _figures(history: RunHistory, p: Progress) -> list[tuple[str, str]]:
    """What can be known from the first step on."""
    since = "" if p.since is None else f" since step {p.since:,}"
    devices = history.device.count if history.device else None
    basis = "" if p.measured is None else f", {'measured' if p.measured else 'estimated'} ({p.meter})"
    per_device = f" ({p.power_watts / devices:,.0f} W a device)" if p.power_watts is not None and devices else ""
    return [
        ("tokens", f"{count(p.tokens)}, {count(p.tokens_per_second)} tokens/s, MFU {percent(p.mfu)}"),
        ("loss", f"{significant(p.loss)}, validation {significant(p.validation_loss)}"),
        ("power", f"{with_unit(p.power_watts, ((1e6, 'MW'), (1e3, 'kW'), (1.0, 'W')))}{per_device}"),
        ("energy", f"{with_unit(p.energy_kwh, ENERGIES)} so far{basis}"),
        ("carbon", f"{with_unit(emitted(p.energy_kwh, history.carbon), MASSES)} so far"),
        *_budget(history, p),
        ("checkpoint", f"none yet{since}" if p.checkpoint is None else f"step {p.checkpoint:,}"),
    ]


def _budget(history: RunHistory, p: Progress) -> list[tuple[str, str]]:
    """What is left of each budget in the plan."""
    if history.carbon is None:
        return []
    pairs = (
        ("carbon budget", history.carbon.budget_tonnes, emitted(p.energy_kwh, history.carbon), MASSES),
        ("energy budget", history.carbon.budget_kwh, p.energy_kwh, ENERGIES),
    )
    return [(name, _left(budget, used, units)) for name, budget, used, units in pairs if budget]


def _left(budget: float, used: float | None, units: Sequence[tuple[float, str]]) -> str:
    """What is left of a budget, as an amount and a share."""
    if used is None:
        return f"{UNKNOWN} left of {with_unit(budget, units)}: no energy reading"
    return f"{with_unit(max(budget - used, 0.0), units)} left of {with_unit(budget, units)} ({used / budget:.0%} used)"


def sparkline(values: Sequence[float], width: int) -> str:
    """Means of `width` equal spans as block characters, scaled from smallest to largest."""
    width = max(min(width, len(values)), 1)
    edges = [index * len(values) // width for index in range(width + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, span = min(means), max(means) - min(means)
    return "".join(BLOCKS[round((mean - low) / span * (len(BLOCKS) - 1)) if span else 0] for mean in means)

"""How far a preparation is, with its rate and the time left: a bar in a terminal, elsewhere a line now and then.

Where several workers share the units, each counts what the others have done as well (`AllWorkers`), so that any of them
shows the whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from ...spec.display_units import BYTE_RATES, BYTES, TIMES, fitting
from ...spec.terminal import Terminal
from .job import Advance
from .unit_files import record_path
from .units import Unit

_BETWEEN_LINES = 60.0  # seconds: a log of a day stays readable
_BETWEEN_LOOKS = 5.0  # seconds between looks at what other workers have done
_RATE_OVER = 600.0  # seconds: units of other workers come at once

Clock = Callable[[], float]


@contextmanager
def progress(
    name: str, total: Callable[[], int], console: Terminal, *, drawn: bool, clock: Clock = time.monotonic
) -> Generator[Advance]:
    """What to call with the bytes that are done; `total` is how many there are, asked when the first are."""
    columns = (TextColumn(f"{name:9}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not (drawn and console.is_terminal),
        speed_estimate_period=_RATE_OVER,
        get_time=clock,
    ) as bar:
        task, written = bar.add_task(name, total=None), clock()

        def advance(size: int) -> None:
            nonlocal written
            bar.update(task, total=total(), advance=size)
            if bar.disable and drawn and clock() - written >= _BETWEEN_LINES:
                written = clock()
                console.print(f"{name:9}  {_line(bar, task)}", soft_wrap=True)

        yield advance


def _line(bar: Progress, number: TaskID) -> str:
    """The state of a task in words."""
    task = bar.tasks[bar.task_ids.index(number)]
    (scale, unit), total = fitting(task.total or 0, BYTES), task.total or 0
    done = f"{task.completed / scale:.1f} of {total / scale:.1f} {unit} ({task.percentage:.0f}%)"
    if not task.speed or task.time_remaining is None:
        return done
    rate, per_second = fitting(task.speed, BYTE_RATES)
    left, time_unit = fitting(task.time_remaining, TIMES)
    return f"{done}, {task.speed / rate:.1f} {per_second}, {task.time_remaining / left:.0f} {time_unit} left"


class AllWorkers:
    """Counts the units that other workers have finished beside the bytes of this one."""

    def __init__(self, advance: Advance, folder: Path, others: Iterable[Unit], clock: Clock = time.monotonic) -> None:
        self._advance, self._folder, self._missing = advance, folder, list(others)
        self._clock, self._looked = clock, clock() - _BETWEEN_LOOKS

    def __call__(self, size: int) -> None:
        """Count bytes of this worker."""
        self._advance(size)
        if self._missing and self._clock() - self._looked >= _BETWEEN_LOOKS:
            self._looked = self._clock()
            done = [unit for unit in self._missing if record_path(self._folder, unit).exists()]
            self._missing = [unit for unit in self._missing if unit not in done]
            if done:
                self._advance(sum(unit.bytes for unit in done))

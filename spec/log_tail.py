"""Where a run stands, read from the end of its event log: the answer takes as long for a year's log as for a day's.

The last attempt's start is found by bisection (attempts never fall along a log), the loss curve from lines at equal
distances, everything else in the last `WINDOW` bytes. What lies before those stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .events import Event, StartEvent, StepEvent, from_line
from .run_progress import RECENT, Progress

WINDOW = 4 * 2**20
SAMPLES = 160  # losses of the curve
_HEAD = 32  # bytes at the start of a line that name its kind


def catch_up(path: Path, progress: Progress) -> int:
    """Bring a fresh `progress` to the end of a log; the offset where the log's next line will begin."""
    if not path.is_file():
        return 0
    with path.open("rb") as log:
        size = log.seek(0, 2)
        first = max(0, size - WINDOW)
        log.seek(first)
        lines = log.read(size - first).split(b"\n")
        end = size - len(lines.pop())  # a last line without its end is still being written
        lines = lines[1:] if first else lines
        sampled = [*_samples(log, size)] if first else None
        if first:
            _restore_start(log, size, lines, progress)
    is_step = [b'"step"' in line[:_HEAD] for line in lines]
    steps = [line for line, found in zip(lines, is_step, strict=True) if found]
    if sampled is None:
        sampled = [from_line(line) for line in steps[:: max(1, len(steps) // SAMPLES)]]
    earlier = max(0, len(steps) - RECENT)  # steps whose figures later ones replace
    for line, found in zip(lines, is_step, strict=True):
        earlier -= found
        event = None if found and earlier >= 0 else from_line(line)
        if event is not None:
            progress.update(event)
    progress.losses = [event.loss for event in sampled if isinstance(event, StepEvent) and event.loss is not None]
    return end


def _samples(log: BinaryIO, size: int) -> Iterator[StepEvent]:
    """Steps at equal distances in a log."""
    for index in range(SAMPLES):
        event = _event_at(log, index * size // SAMPLES)
        if isinstance(event, StepEvent):
            yield event


def _restore_start(log: BinaryIO, size: int, lines: list[bytes], progress: Progress) -> None:
    """Take in the start of the first attempt that the window shows, which lies before the window."""
    shown = next((event for line in lines if (event := from_line(line))), None)
    if shown is None or shown.attempt is None:
        return
    low, high = 0, size - WINDOW
    while low < high:
        middle = (low + high) // 2
        event = _event_at(log, middle)
        low, high = (middle + 1, high) if event and (event.attempt or 0) < shown.attempt else (low, middle)
    event = _event_at(log, low)
    if isinstance(event, StartEvent):
        progress.update(event)
    progress.attempt, progress.since = shown.attempt, shown.step or 0


def _event_at(log: BinaryIO, offset: int) -> Event | None:
    """The first event of a line that begins at `offset` or later."""
    log.seek(max(0, offset - 1))
    if offset:
        log.readline()
    return from_line(log.readline())

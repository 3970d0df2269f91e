"""How far a preparation is: over all workers, with rate and time left, also where nothing can be drawn."""

from __future__ import annotations

import io

from trainwright.runtime.prepare.progress import AllWorkers, progress
from trainwright.runtime.prepare.unit_files import record_path
from trainwright.runtime.prepare.units import Unit
from trainwright.spec.terminal import Terminal


class Clock:
    """Seconds that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def lines(monkeypatch, **options: bool) -> list[str]:
    """What is written of 3 GiB, of which 1 GiB is done each minute."""
    console, clock = Terminal(), Clock()
    console.file = written = io.StringIO()
    with progress("data", lambda: 3 * 2**30, console, clock=clock, **options) as advance:
        for minute in range(1, 3):
            clock.now = minute * 60
            advance(2**29)
            advance(2**29)
    return written.getvalue().splitlines()


def test_a_log_gets_a_line_a_minute(monkeypatch):
    """Bytes, share, rate and time left."""
    first, second = lines(monkeypatch, drawn=True)
    assert first.startswith("data       0.5 of 3.0 GiB (17%)")
    assert second == "data       1.5 of 3.0 GiB (50%), 17.9 MB/s, 2 min left"


def test_one_of_several_workers_reports(monkeypatch):
    """The others are silent, or a log would hold the same line of each."""
    assert lines(monkeypatch, drawn=False) == []


def test_a_worker_counts_what_others_have_done(tmp_path):
    """Units of others count once, when their record is there; looks are seconds apart."""
    clock, heard = Clock(), list[int]()
    others = [Unit(number, 0, (), 100 + number) for number in range(3)]
    advance = AllWorkers(heard.append, tmp_path, others, clock)
    record_path(tmp_path, others[0]).parent.mkdir()
    for second, done in ((0, 1), (1, 2), (6, 3)):
        clock.now = float(second)
        record_path(tmp_path, others[done - 1]).touch()
        advance(7)
    advance(7)
    assert heard == [7, 100, 7, 7, 203, 7]

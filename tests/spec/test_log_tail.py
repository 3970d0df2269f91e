"""Where a run stands, read from the end of its log."""

from __future__ import annotations

import json
import time

import pytest

from trainwright.spec import log_tail
from trainwright.spec.log_tail import catch_up
from trainwright.spec.run_progress import EventFollower, Progress


def log_of(path, steps, attempts=3):
    """A log of so many steps in equal attempts, validated every 100 and saved every 500 steps."""
    with path.open("w") as out:
        for step in range(1, steps + 1):
            attempt = 1 + (step - 1) * attempts // steps
            if step == 1 or attempt > 1 + (step - 2) * attempts // steps:
                _write(
                    out, kind="start", attempt=attempt, step=step - 1, last_step=steps + 10, meter="nvml", measured=True
                )
            _write(out, kind="step", attempt=attempt, step=step, loss=10 / step, seconds=2.0, energy_kwh=step / 10)
            if step % 100 == 0:
                _write(out, kind="validation", attempt=attempt, step=step, loss=5.0)
            if step % 500 == 0:
                _write(out, kind="checkpoint", attempt=attempt, step=step, path="x")
    return path


def _write(out, **event):
    out.write(
        json.dumps({"kind": event.pop("kind"), "time": 1.0 * event.get("step", 0), **event}, separators=(",", ":"))
        + "\n"
    )


def read_whole(path):
    """The same from every event."""
    progress = Progress()
    for event in EventFollower(path).new_events():
        progress.update(event)
    return progress


def figures(progress):
    """All but the curve and what says how much was read."""
    left_out = ("losses", "since", "recent")
    return {name: getattr(progress, name) for name in Progress.__dataclass_fields__ if name not in left_out}


@pytest.mark.parametrize("steps", [0, 1, 49, 700, 5000])
def test_a_short_log_is_read_as_if_whole(tmp_path, steps):
    """Every figure, the pace and the end of the log are those of a reader of every event."""
    path, found = log_of(tmp_path / "events.jsonl", steps), Progress()
    assert catch_up(path, found) == path.stat().st_size
    whole = read_whole(path)
    assert (figures(found), found.recent, found.since) == (figures(whole), whole.recent, None)


def test_a_long_log_is_read_from_its_end(tmp_path, monkeypatch):
    """Figures are the same; the start lies before what was read, and the curve spans the whole run."""
    monkeypatch.setattr(log_tail, "WINDOW", 2**16)
    path, found = log_of(tmp_path / "events.jsonl", 9000), Progress()
    catch_up(path, found)
    assert figures(found) == figures(read_whole(path))
    assert found.since is not None
    assert found.since > 6000
    assert (found.attempt, found.last_step, found.measured) == (3, 9010, True)
    assert len(found.losses) > log_tail.SAMPLES * 0.8
    assert found.losses == sorted(found.losses, reverse=True)
    assert found.losses[0] > 100 * found.losses[-1]


def test_an_unfinished_line_waits_for_its_end(tmp_path):
    """The follower goes on where the tail ended, and gets the line when it is whole."""
    path = log_of(tmp_path / "events.jsonl", 10, 1)
    whole = path.stat().st_size
    with path.open("a") as out:
        out.write('{"kind":"step","step":11')
    progress = Progress()
    end = catch_up(path, progress)
    assert (end, progress.step) == (whole, 10)
    with path.open("a") as out:
        out.write("}\n")
    assert [event.step for event in EventFollower(path, end).new_events()] == [11]


@pytest.mark.parametrize("content", [b"", b"\n", b"\n" * 9, b"\xff\x00garbage\n{}\n[1]\n", b'{"kind":1}'])
def test_what_is_no_log_says_nothing(tmp_path, monkeypatch, content):
    """Torn, foreign and empty files leave everything unknown."""
    monkeypatch.setattr(log_tail, "WINDOW", 4)
    path, progress = tmp_path / "events.jsonl", Progress()
    path.write_bytes(content)
    catch_up(path, progress)
    assert (progress.step, progress.attempt, progress.losses) == (0, 0, [])
    assert catch_up(tmp_path / "nowhere", Progress()) == 0


def test_the_time_does_not_grow_with_the_log(tmp_path, monkeypatch):
    """Ten times the log takes less than thrice the processor time, where a reader of everything takes ten times."""
    monkeypatch.setattr(log_tail, "WINDOW", 2**18)
    short, long = (log_of(tmp_path / f"{steps}.jsonl", steps) for steps in (6_000, 60_000))

    def seconds(path):
        def once():
            before = time.process_time()
            catch_up(path, Progress())
            return time.process_time() - before

        return min(once() for _ in range(5))

    assert seconds(long) < 3 * seconds(short)

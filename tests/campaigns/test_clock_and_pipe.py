"""A wall clock that is set all the time, and a reader of the output that has gone: neither is felt by a run."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
import threading
import time
from pathlib import Path

import pytest

from trainwright.report.build import build_report
from trainwright.spec.events import StepEvent, read_events
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.forked_ranks import make_bundles, whole
from trainwright.tests.campaigns.runs import LONGEST, TRAINWRIGHT, compare

CLOCK = Path(__file__).parents[1] / "fakes/clock.c"
JUMPS = (0, 400 * 86_400, -3_600, 3_600, -400 * 86_400)  # seconds that the clock is ahead
COMPILER = shutil.which("cc")


@pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
def test_a_run_feels_neither_its_clock_nor_its_readers(tmp_path: Path) -> None:
    """Exit 0, no process left, the bits of an undisturbed run, and no more device hours than there were."""
    make_bundles(tmp_path)
    expected, _ = whole(tmp_path, 0)
    library, ahead = tmp_path / "clock.so", tmp_path / "ahead"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, CLOCK], check=True)
    ahead.write_bytes(bytes(8))
    fake = {"LD_PRELOAD": str(library), "FAKE_CLOCK": str(ahead), "OMP_NUM_THREADS": "1"}
    foreign = {"RANK": "3"}  # so that the scripts have something to say, too
    run, began = RunFolder(tmp_path / "runs/set"), time.monotonic()
    launch = subprocess.Popen(
        [TRAINWRIGHT, "launch", "0.yaml", "--run", run.path],
        cwd=tmp_path,
        env=os.environ | fake | foreign,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    launch.stdout.close()
    set_often(ahead, launch)
    assert launch.returncode == 0
    compare(run, expected)
    (reported,) = build_report([run.path]).runs
    steps = sum(event.seconds for event in read_events(run.events) if isinstance(event, StepEvent))
    assert steps <= reported.actual.device_hours * 3600 <= time.monotonic() - began


def set_often(ahead: Path, launch: subprocess.Popen[bytes]) -> None:
    """Set the clock ten times a second, ahead and back, until the launch has ended."""
    with ahead.open("r+b") as file, mmap.mmap(file.fileno(), 8) as clock:
        until, pause = time.monotonic() + LONGEST, threading.Event()
        while launch.poll() is None:
            assert time.monotonic() < until
            for jump in JUMPS:
                clock[:] = struct.pack("q", jump)
                pause.wait(0.1)

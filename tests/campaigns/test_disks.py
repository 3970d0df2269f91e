"""A disk is filled or turned read-only while a run writes it: 78 in one sentence; afterwards the run ends the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from trainwright.spec.exit_codes import Exit
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.runs import KINDS, compare, content, make_project, start, wait

SIZE = "24m"
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount a disk")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A corpus, and a spec for each kind of run."""
    make_project(at := tmp_path_factory.mktemp("disks"))
    return at


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[None]:
    """A file system of its own on the folder `at`. Skips where none can be mounted."""
    at.mkdir(parents=True, exist_ok=True)
    if not image.exists():
        run("truncate", "-s", SIZE, str(image))
        run("mkfs.ext4", "-q", "-m", "0", str(image))
    if subprocess.run(["mount", "-o", "loop", image, at], check=False, capture_output=True).returncode:
        pytest.skip("no loop device can be mounted")
    try:
        shutil.rmtree(at / "lost+found", ignore_errors=True)
        yield
    finally:
        run("umount", str(at))


def run(*words: str) -> None:
    """Run a command of the system. Raises CalledProcessError."""
    subprocess.run(words, check=True, capture_output=True, timeout=60)


def fill(at: Path) -> None:
    """Take all the room that is left, as somebody else's job does."""
    with suppress(OSError), (at / "filler").open("wb", buffering=0) as file:
        while file.write(bytes(65536)):
            pass
    with suppress(OSError), (at / "filler").open("ab", buffering=0) as file:
        while file.write(b"0"):
            pass


def turn_read_only(at: Path) -> None:
    """What the kernel does when a disk fails."""
    run("mount", "-o", "remount,abort", str(at))


HARMS = {"full": fill, "read-only": turn_read_only}


@pytest.mark.timeout(20_000)
@pytest.mark.parametrize(
    "campaign", [2, pytest.param(100, marks=pytest.mark.slow)], indirect=True, ids=["slice", "all"]
)
def test_a_lost_disk_is_said_and_the_run_ends_the_same(campaign, project) -> None:
    """Whatever was being written: 78 or a good end, no traceback; afterwards to the bits and the account of any run."""
    expected: dict[int, dict[str, object]] = {}
    for luck in campaign.cases():
        kind = luck.randrange(len(KINDS)) if len(campaign.numbers) > 2 else 0
        if kind not in expected:
            assert wait(start(project, kind, f"runs/whole-{kind}")) == 0
            expected[kind] = content(RunFolder(project / f"runs/whole-{kind}"))
        harm, number = luck.choice(sorted(HARMS)), campaign.case.replace(":", "-")
        image, run_folder = project / f"{number}.img", project / f"runs/{number}"
        with ExitStack() as disks:
            disks.enter_context(mounted(image, run_folder))
            process = start(project, kind, f"runs/{number}")
            with suppress(subprocess.TimeoutExpired):
                process.wait(luck.uniform(0.5, luck.choice((8.0, 20.0))))
            HARMS[harm](run_folder)
            code, said = wait(process), (project / f"{number}.log").read_text()
            assert code in (Exit.DONE, Exit.STORAGE), said
            assert "Traceback" not in said, said
            campaign.count(f"{harm}, {Exit(code).name}")
            if harm == "full":
                (run_folder / "filler").unlink()
        subprocess.run(["fsck.ext4", "-p", image], check=False, capture_output=True, timeout=60)
        with mounted(image, run_folder):
            assert wait(start(project, kind, f"runs/{number}")) == 0, (project / f"{number}.log").read_text()
            compare(RunFolder(run_folder), expected[kind])
        image.unlink()

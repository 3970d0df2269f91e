"""What is written into a folder that somebody else can write to goes nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from trainwright.spec.atomic_files import write_atomically
from trainwright.spec.run_folder import RunFolder


def test_a_planted_link_is_replaced_not_followed(tmp_path: Path) -> None:
    """A link in the place of a file, or of the temporary one beside it: what it points to is as it was."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    for name in ("file", f".file.{os.getpid()}.tmp"):
        (tmp_path / name).symlink_to(victim)
    write_atomically(tmp_path / "file", b"ours")
    assert (victim.read_text(), (tmp_path / "file").read_bytes()) == ("mine", b"ours")
    assert not (tmp_path / "file").is_symlink()


def test_a_request_to_stop_makes_no_file_elsewhere(tmp_path: Path) -> None:
    """Asked once or twice, over a link or not: the run has a stop file of its own."""
    run, victim = RunFolder(tmp_path), tmp_path / "elsewhere"
    run.stop.symlink_to(victim)
    for _ in range(2):
        run.ask_to_stop()
    assert (victim.exists(), run.stop.is_symlink(), run.stop.exists()) == (False, False, True)

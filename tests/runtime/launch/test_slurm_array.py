"""The folders by which the jobs of an array find their runs: kept as long as Slurm has a job of theirs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainwright.runtime.launch.slurm_array import remove_finished


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ("echo 17_1", True),
        ("exit 0", False),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", False),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", True),
    ],
)
def test_folders_of_ended_arrays_are_removed(tmp_path: Path, monkeypatch, answer: str, kept: bool) -> None:
    """Not while a job is known, nor when Slurm does not answer, nor before the jobs are; runs stay in any case."""
    squeue = tmp_path / "bin" / "squeue"
    squeue.parent.mkdir()
    squeue.write_text(f"#!/bin/sh\n{answer}\n")
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", f"{squeue.parent}:{os.environ['PATH']}")
    (tmp_path / "run").mkdir()
    for name in ("submitted", "being submitted"):
        folder = tmp_path / ".arrays" / name
        folder.mkdir(parents=True)
        (folder / "0").symlink_to(tmp_path / "run")
    (tmp_path / ".arrays" / "submitted" / "jobs").write_text("16,17\n")
    remove_finished(tmp_path / ".arrays")
    left = {path.name for path in (tmp_path / ".arrays").iterdir()}
    assert left == {"being submitted"} | ({"submitted"} if kept else set())
    assert (tmp_path / "run").is_dir()

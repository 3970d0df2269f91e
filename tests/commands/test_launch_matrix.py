"""`launch` of a matrix, as far as no Slurm is needed: what would be submitted, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trainwright.spec.run_folder import RunFolder
from trainwright.tests.commands.test_launch_commands import EXAMPLES, trainwright


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder with a matrix of the tiny example; two of its runs ask Slurm for the same."""
    shutil.copy(EXAMPLES / "tiny-cpu.yaml", tmp_path)
    matrix = "matrix: [{training.seed: 1, cluster.gpus: 1}, {training.seed: 2, cluster.gpus: 1}]"
    (tmp_path / "seeds.yaml").write_text(f"extends: tiny-cpu.yaml\nname: seeds\n{matrix}\n")
    return tmp_path


def test_a_dry_run_shows_the_array_and_writes_nothing(project: Path) -> None:
    """One array of the runs, each with its bundle and its folder."""
    sets = ("--set", "launch.slurm.array_throttle=1")
    done = trainwright(project, "launch", "seeds.yaml", "--target", "slurm", "--dry-run", *sets)
    assert done.returncode == 0, done.stderr
    assert "an array of 2 jobs, at most 1 at once" in done.stdout
    assert "seeds-2: bundle build/seeds-2, run folder runs/seeds-2" in done.stdout
    assert sorted(path.name for path in project.iterdir()) == ["seeds.yaml", "tiny-cpu.yaml"]


def test_runs_whose_jobs_differ_are_arrays_of_their_own(project: Path) -> None:
    """The jobs of an array are alike: another constraint is another array."""
    matrix = 'matrix: {launch.slurm.constraint: ["a100", "h100"], training.seed: [1, 2]}'
    (project / "two.yaml").write_text(f"extends: tiny-cpu.yaml\nname: two\n{matrix}\n")
    done = trainwright(project, "launch", "two.yaml", "--target", "slurm", "--dry-run")
    assert done.stdout.count("an array of 2 jobs:") == 2, done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--target", "local"), "TW111"), (("--run", "r"), "TW709"), (("--out", "o"), "TW709"), (("--follow",), "TW709")],
)
def test_what_is_about_one_run_is_refused(project: Path, words: tuple[str, ...], code: str) -> None:
    """Exit 2: other targets start one run, and these options name one folder."""
    done = trainwright(project, "launch", "seeds.yaml", *(words if "--target" in words else ("--target=slurm", *words)))
    assert (done.returncode, code in done.stderr) == (2, True), done.stderr
    assert not (project / "runs").exists()


def test_the_run_that_cannot_start_is_named(project: Path) -> None:
    """An element whose folder holds something else is named, and nothing of the others is written."""
    strange = RunFolder(project / "runs" / "seeds-2")
    strange.checkpoints.mkdir(parents=True)
    (strange.checkpoints / "mine").touch()
    done = trainwright(project, "launch", "seeds.yaml", "--target=slurm")
    assert (done.returncode, "seeds-2: " in done.stderr, "seeds-1: " in done.stderr) == (2, True, False), done.stderr
    assert [path.name for path in (project / "runs").iterdir()] == ["seeds-2"]


def test_compiling_a_matrix_says_once_what_all_its_runs_share(project: Path) -> None:
    """A note about two runs is one note; what is wrong with either is said with its name, both at once."""
    done = trainwright(project, "compile", "seeds.yaml")
    assert (done.returncode, done.stderr.count("TW501")) == (0, 1), done.stderr
    rows = "matrix=[{model.heads: 5, training.seed: 1}, {model.heads: 7, training.seed: 2}]"
    done = trainwright(project, "compile", "tiny-cpu.yaml", "--set", rows)
    assert (done.returncode, "tiny-cpu-5: " in done.stderr, "tiny-cpu-7: " in done.stderr) == (2, True, True), (
        done.stderr
    )

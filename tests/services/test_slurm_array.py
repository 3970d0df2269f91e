"""A matrix under a real Slurm: one job array; its elements start, stop and are refused one by one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trainwright.spec.run_folder import RunFolder
from trainwright.tests.logged import logged_events
from trainwright.tests.services.slurm_lab import Slurm
from trainwright.tests.services.test_slurm import trainwright
from trainwright.tests.services.tiny import ENDLESS, write_spec

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

LAUNCH = "{target: slurm, partition: low, time_limit: 10 min, slurm: {array_throttle: 1}}"


@pytest.fixture
def matrix(slurm: Slurm, project: Path):
    """Writes a matrix of runs with these seeds into the project; clears the lab's queue afterwards."""

    def write(seeds: str, steps: int = 20, launch: str = LAUNCH) -> None:
        write_spec(project, launch, steps)
        spec = project / "tiny.yaml"
        spec.write_text(spec.read_text() + f"matrix: {{training.seed: {seeds}}}\n")

    yield write
    slurm.clear()


def run_of(project: Path, seed: int) -> RunFolder:
    """The run folder of an element."""
    return RunFolder(project / "runs" / f"tiny-{seed}")


def job_of(project: Path, seed: int) -> str:
    """The job of an element: ARRAY_NUMBER."""
    return (run_of(project, seed).path / "slurm-job").read_text().split()[0]


def test_a_matrix_is_one_array_and_each_element_a_run(matrix, slurm: Slurm, project: Path) -> None:
    """One array with the throttle of the spec; each run takes every step in its own folder, with one log a job."""
    matrix("[1, 2]")
    done = trainwright(slurm, project, "launch", "tiny.yaml")
    assert done.returncode == 0, done.stderr
    jobs = [job_of(project, seed) for seed in (1, 2)]
    array = jobs[0].partition("_")[0]
    assert jobs == [f"{array}_0", f"{array}_1"]
    assert slurm.state(jobs[0])["ArrayTaskThrottle"] == "1"
    for seed, job in zip((1, 2), jobs, strict=True):
        run = run_of(project, seed)
        ended = slurm.wait(job, "COMPLETED", "FAILED", "CANCELLED", seconds=300)
        logs = sorted(path.name for path in (run.path / "logs").glob("tiny*.log"))
        assert ended["JobState"] == "COMPLETED", [(run.path / "logs" / name).read_text() for name in logs]
        assert [event["step"] for event in logged_events(run.events, "step")] == list(range(1, 21))
        assert logs == [f"tiny-{array}_{seed - 1}.log", f"tiny-prepare-{int(array) - 1}_{seed - 1}.log"]
    again = trainwright(slurm, project, "launch", "tiny.yaml")
    assert (again.returncode, again.stderr.count("is finished")) == (0, 2), again.stderr
    assert slurm.run("squeue", "--noheader") == ""


def test_elements_are_stopped_and_refused_one_by_one(matrix, slurm: Slurm, project: Path) -> None:
    """A waiting element leaves the queue, a running one saves, and the next launch names the one that still runs."""
    matrix("[1, 2]", steps=ENDLESS)
    assert trainwright(slurm, project, "launch", "tiny.yaml").returncode == 0
    first, second = (run_of(project, seed) for seed in (1, 2))
    slurm.wait(job_of(project, 1), "RUNNING", seconds=120)
    shown = trainwright(slurm, project, "status", str(first.path), str(second.path)).stdout
    assert (f"{job_of(project, 1)}: running" in shown, f"{job_of(project, 2)}: pending" in shown) == (True, True), shown
    assert trainwright(slurm, project, "stop", str(second.path)).returncode == 0
    slurm.wait(job_of(project, 2), "CANCELLED")
    again = trainwright(slurm, project, "launch", "tiny.yaml")
    assert (again.returncode, "tiny-1: " in again.stderr, "tiny-2: " in again.stderr) == (2, True, False), again.stderr
    assert trainwright(slurm, project, "stop", str(first.path)).returncode == 0
    assert slurm.wait(job_of(project, 1), "FAILED", "COMPLETED")["ExitCode"] == "75:0"
    assert logged_events(first.events, "checkpoint")[-1]["step"] == logged_events(first.events, "step")[-1]["step"]


def test_an_element_trains_only_on_data_that_its_own_job_has_prepared(matrix, slurm: Slurm, project: Path) -> None:
    """The element whose preparation failed is taken out of the queue; the other one trains to its end."""
    matrix("[1, 2]")
    shutil.copytree(project / "corpus", project / "other")
    spec = project / "tiny.yaml"
    spec.write_text(spec.read_text().replace("training.seed: [1, 2]", 'data.train: ["corpus/*.txt", "other/*.txt"]'))
    assert trainwright(slurm, project, "launch", "tiny.yaml", "--dry-run").returncode == 0
    done = trainwright(slurm, project, "launch", "tiny.yaml")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(project / "other")
    jobs = {path.parent.name: path.read_text().split()[0] for path in (project / "runs").glob("*/slurm-job")}
    states = {
        name: slurm.wait(job, "COMPLETED", "FAILED", "CANCELLED", seconds=300)["JobState"] for name, job in jobs.items()
    }
    assert states == {"tiny-corpus-per-.txt": "COMPLETED", "tiny-other-per-.txt": "CANCELLED"}


def test_slurms_refusal_of_an_array_names_its_runs(matrix, slurm: Slurm, project: Path) -> None:
    """Exit 2, Slurm's words and the line of the spec; no run folder has a bundle and nothing is queued."""
    matrix("[1, 2]", launch="{target: slurm, partition: low, slurm: {constraint: v100}}")
    done = trainwright(slurm, project, "launch", "tiny.yaml")
    assert (done.returncode, "TW708" in done.stderr, "tiny-1, tiny-2" in done.stderr) == (2, True, True), done.stderr
    assert 'constraint: "v100"  # tiny.yaml:' in done.stderr
    assert not run_of(project, 1).bundle.exists()
    assert slurm.run("squeue", "--noheader") == ""

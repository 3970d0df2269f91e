"""Training under a real Slurm: two nodes, pre-emption, time limit, cancel, stop, and jobs that must not start."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from trainwright.tests.services.slurm_lab import NODES, Slurm
from trainwright.tests.services.tiny import ENDLESS, Tiny, listening, write_spec

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Job(Tiny):
    """A run that was launched in the lab."""

    slurm: Slurm

    @property
    def id(self) -> str:
        """The training job."""
        return (self.run.path / "slurm-job").read_text().split()[0]

    @property
    def log(self) -> str:
        """What both jobs printed."""
        return "\n".join(path.read_text() for path in sorted((self.run.path / "logs").glob("*.log")))


def trainwright(slurm: Slurm, project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in the project folder, as a user of the lab's Slurm."""
    command = (Path(sys.executable).with_name("trainwright"), *words)
    return subprocess.run(
        command, cwd=project, env=slurm.environment, text=True, capture_output=True, check=False, timeout=120
    )


@pytest.fixture
def launch(slurm: Slurm, project: Path):
    """Launch a run of so many steps in the lab, and clear the lab's queue afterwards."""

    def start(steps: int = ENDLESS, limit: str = "10 min", every: int = ENDLESS) -> Job:
        write_spec(project, f"{{target: slurm, partition: low, time_limit: {limit}}}", steps, every=every)
        done = trainwright(slurm, project, "launch", "tiny.yaml")
        assert done.returncode == 0, done.stderr
        return Job(project, slurm)

    yield start
    slurm.clear()


def test_two_nodes_train_to_the_end(launch) -> None:
    """Two ranks on two nodes take every step, and the job completes with exit code 0."""
    job = launch(40)
    ended = job.slurm.wait(job.id, "COMPLETED", "FAILED", seconds=300)
    assert (ended["JobState"], ended["ExitCode"]) == ("COMPLETED", "0:0"), job.log
    assert job.steps() == list(range(1, 41))
    assert job.events("start")[0]["world_size"] == 2
    assert {path.name for path in job.run.path.iterdir()} >= {"plan.json", "estimate.json", "MANIFEST"}


def test_a_preempted_job_saves_requeues_and_resumes(launch, slurm: Slurm) -> None:
    """A job that must make room saves first; requeued, it goes on from there: every step once, in order."""
    job = launch(600)
    job.wait_for_step(20)
    urgent = slurm.run(
        "sbatch", "--parsable", "-p", "high", "-N", "2", "--exclusive", "--wrap", "true", "-o", "/dev/null"
    )
    slurm.wait(urgent, "COMPLETED")
    ended = slurm.wait(job.id, "COMPLETED", "FAILED", seconds=400)
    assert ended["JobState"] == "COMPLETED", job.log
    assert ended["Restarts"] in ("1", "2")  # Slurm counts our requeue, and its own when the grace time was over first
    assert job.steps() == list(range(1, 601))
    first, second = job.events("stop")
    assert (first["exit_code"], second["exit_code"]) == (75, 0)
    assert job.events("start")[1]["step"] == first["step"]


def test_a_killed_rank_is_requeued_and_the_run_ends_well(launch, slurm: Slurm) -> None:
    """After kill -9 of the rank on the second node all leave, the job is queued again by itself, and completes."""
    job = launch(300)
    job.wait_for_step(5)
    victims = [process for process in psutil.process_iter() if is_rank(process, "1", job.run.path)]
    assert len(victims) == 1
    victims[0].kill()
    ended = slurm.wait(job.id, "COMPLETED", "FAILED", seconds=400)
    assert (ended["JobState"], ended["Restarts"]) == ("COMPLETED", "1"), job.log
    assert job.steps()[-300:] == list(range(1, 301))  # no checkpoint yet when it was killed: from the beginning
    assert len(job.events("start")) == 2


@pytest.mark.slow
def test_a_lost_node_is_requeued_and_the_run_resumes(launch, slurm: Slurm) -> None:
    """After kill -9 of a node's slurmd and all that it ran, the job is queued again in two minutes by itself.

    When the node is back the run goes on from its last checkpoint: what is done again has the same losses to the bit.
    """
    job = launch(1000, every=100)
    job.wait_for_step(150)
    assert slurm.lose(NODES[1]) >= 4  # slurmd, the step's daemon, node.sh, the rank
    slurm.wait(job.id, "PENDING", seconds=120)
    with slurm.node(NODES[1]):
        ended = slurm.wait(job.id, "COMPLETED", "FAILED", seconds=300)
        assert (ended["JobState"], ended["Restarts"] in ("1", "2")) == ("COMPLETED", True), job.log
        job.slurm.clear()
    first, second = [[event for event in job.events("step") if event["attempt"] == number] for number in (1, 2)]
    saved = job.events("start")[1]["step"]
    again = {event["step"]: event["loss"] for event in first if event["step"] > saved}
    assert (saved % 100, 0 < len(again) <= 101) == (0, True)
    assert again == {event["step"]: event["loss"] for event in second if event["step"] in again}
    assert [event["step"] for event in second] == list(range(saved + 1, 1001))


def is_rank(process: psutil.Process, rank: str, run: Path) -> bool:
    """Whether a process is the training process of that rank."""
    try:
        words = process.cmdline()
        return "trainwright.runtime.train" in words and words[-1] == str(run) and process.environ().get("RANK") == rank
    except psutil.Error:
        return False


def test_the_time_limit_ends_in_a_checkpoint_and_a_requeue(launch, slurm: Slurm) -> None:
    """Warned before its time is over, a job saves and is queued again by itself."""
    job = launch(limit="1 min")
    slurm.wait(job.id, "RUNNING", seconds=120)
    until = time.monotonic() + 240
    while slurm.state(job.id)["Restarts"] == "0" and time.monotonic() < until:
        time.sleep(0.5)
    assert slurm.state(job.id)["Restarts"] == "1", job.log
    assert job.events("stop")[0]["exit_code"] == 75
    assert job.events("checkpoint")[-1]["step"] == job.events("stop")[0]["step"] > 0


def test_a_cancelled_job_saves_and_stays_away(launch, slurm: Slurm) -> None:
    """A cancelled job leaves a checkpoint of the last step behind, and nothing is queued again."""
    job = launch()
    job.wait_for_step(20)
    slurm.run("scancel", job.id)
    slurm.wait(job.id, "CANCELLED")
    until = time.monotonic() + 60
    while not job.events("stop") and time.monotonic() < until:
        time.sleep(0.2)
    assert job.events("checkpoint")[-1]["step"] == job.steps()[-1]
    assert slurm.run("squeue", "--noheader") == ""


def test_what_a_job_listens_on(launch, project: Path) -> None:
    """The ranks alone: on the named interface, and on any for their meeting, since a loopback name calls this node."""
    job = launch()
    job.wait_for_step(5)
    sockets = listening(project)
    assert sockets.pop("trainwright.runtime.train") == {"127.0.0.1", "::"}
    assert not any(sockets.values()), sockets


def test_stop_saves_and_does_not_requeue(launch, slurm: Slurm) -> None:
    """`trainwright stop` ends the job with 75 after a checkpoint; asked for by a person, it is not requeued."""
    job = launch()
    job.wait_for_step(10)
    again = trainwright(slurm, job.project, "launch", "tiny.yaml")
    assert (again.returncode, f"Slurm job {job.id}" in again.stderr) == (2, True)
    assert "running" in trainwright(slurm, job.project, "status", "runs/tiny").stdout
    assert trainwright(slurm, job.project, "stop", "runs/tiny").returncode == 0
    ended = slurm.wait(job.id, "FAILED", "COMPLETED")
    assert (ended["ExitCode"], ended["Restarts"]) == ("75:0", "0")
    assert job.events("checkpoint")[-1]["step"] == job.steps()[-1]


def test_a_job_that_slurm_refuses_leaves_nothing_in_the_queue(launch, slurm: Slurm, project: Path) -> None:
    """A partition that is not there: exit 2, Slurm's reason, what to compare, and no job that prepares data in vain."""
    write_spec(project, "{target: slurm, partition: low, time_limit: 1 min}", 40)
    trainwright(slurm, project, "compile", "tiny.yaml", "--out", "bundle")
    script = project / "bundle" / "slurm.sbatch"  # as if only the training job were too much for the site
    script.write_text(script.read_text().replace("--partition=low", "--partition=nowhere"))
    words = ["bash", str(project / "bundle" / "launch.sh")]
    environment = {**slurm.environment, "TRAINWRIGHT_PYTHON": sys.executable}
    done = subprocess.run(words, cwd=project, env=environment, text=True, capture_output=True, check=False)
    assert (done.returncode, "invalid partition" in done.stderr, "TW708" in done.stderr) == (2, True, True), done.stderr
    slurm.empty()


def test_nothing_trains_when_the_data_cannot_be_prepared(launch, slurm: Slurm, project: Path) -> None:
    """Without text, the prepare job fails with 2 and the training job is taken out of the queue."""
    for path in (project / "corpus").iterdir():
        path.unlink()
    job = launch(40)
    assert slurm.wait(job.id, "CANCELLED", "COMPLETED", "FAILED")["JobState"] == "CANCELLED"
    assert slurm.state(str(int(job.id) - 1))["ExitCode"] == "2:0"

"""Launches that are refused, of random kinds, against a finished and a running run: not one byte of theirs changes."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from trainwright import cli
from trainwright.spec.events import StepEvent, read_events
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.runs import TRAINWRIGHT, tiny_spec

TRAINING = ("checkpoint: {every: 4 steps}", "validation: {every: 100000 steps, batches: 1}")
# Settings that make another run, each with values that differ from the spec's.
OTHER: dict[str, Callable[[random.Random], object]] = {
    "model.rope_theta": lambda luck: luck.randint(2, 99) * 1000 + 1,
    "model.ffn_size": lambda luck: 64 + 8 * luck.randint(1, 9),
    "model.layers": lambda luck: luck.randint(2, 4),
    "model.norm_eps": lambda luck: f"{luck.randint(2, 9)}e-4",
    "tokenizer.split_digits": lambda luck: luck.choice(["false"]),
    "tokenizer.algorithm": lambda luck: luck.choice(["unigram"]),
    "data.seed": lambda luck: luck.randint(1, 2**20),
    "data.validation": lambda luck: f"{luck.randint(11, 40)}%",
    "data.train": lambda luck: luck.choice(("other/*.txt", "corpus/1*.txt", "corpus/*.none")),
    "training.seed": lambda luck: luck.randint(1, 2**20),
    "training.sequence_length": lambda luck: luck.choice((16, 64)),
    "training.global_batch": lambda luck: f"{luck.choice((4, 16, 24))} sequences",
    "training.optimizer.learning_rate": lambda luck: f"{luck.randint(3, 9)}e-3",
    "training.precision": lambda luck: luck.choice(["bf16"]),
}
# Words of a command line that must not touch a run either.
WORDS = (
    "compile spec.yaml --force --out runs/{run}",
    "compile spec.yaml --force --out runs/{run}/bundle",
    "launch spec.yaml --set name=u --run runs/v --out runs/{run}/checkpoints",
    "launch spec.yaml --run runs/{run}/data",
    "launch build/{run} --set data.seed=1 --run runs/{run}",
    "launch spec.yaml --set data.seed=x --run runs/{run}",
    "launch spec.yaml --set no.such=1 --run runs/{run}",
    "launch nowhere.yaml --run runs/{run}",
    "launch corpus --run runs/{run}",
    "report runs/{run} --out runs/{run}/attempts/1",
    "export runs/{run} --out runs/{run}/checkpoints/step-00000999",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project with a finished run `done` and a run `busy` that trains meanwhile."""
    at = tmp_path_factory.mktemp("refusals")
    luck = random.Random(1)  # noqa: S311 - not a secret
    for folder in ("corpus", "other"):
        (at / folder).mkdir()
        for number in range(40):
            words = ("".join(luck.choices("abcdefghij 0123456789\n", k=6)) for _ in range(200))
            (at / folder / f"{number}.txt").write_text(" ".join(words))
    for name, tokens in (("done", 2048), ("busy", 10**9)):
        (at / f"{name}.yaml").write_text(tiny_spec(tokens, *TRAINING, name=name))
    (at / "spec.yaml").write_text(tiny_spec(2048, *TRAINING, name="done"))
    with (at / "log").open("wb") as log:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        where = {"cwd": at, "env": environment, "stdout": log, "stderr": log, "start_new_session": True}
        assert subprocess.run([TRAINWRIGHT, "launch", "done.yaml"], check=False, **where).returncode == 0
        busy = subprocess.Popen([TRAINWRIGHT, "launch", "busy.yaml"], **where)
    wait_for_step(at / "runs/busy", 5)
    yield at
    busy.send_signal(signal.SIGTERM)
    assert busy.wait(120) == 75, (at / "log").read_text()


def wait_for_step(run: Path, step: int) -> None:
    """Until a run has taken `step`."""
    until = time.monotonic() + 240
    while time.monotonic() < until:
        with suppress(OSError):
            if any(isinstance(event, StepEvent) and event.step >= step for event in read_events(RunFolder(run).events)):
                return
        time.sleep(0.2)
    raise TimeoutError(f"no step {step} of {run}")


def digests(project: Path) -> dict[str, str]:
    """Every file of the project that no run is writing just now, with its SHA-256."""
    busy, found = str(project / "runs/busy"), dict[str, str]()
    for folder, folders, files in os.walk(project):
        if folder == busy:
            folders[:] = [name for name in folders if name not in {"checkpoints", "tensorboard"}]
        for name in set(files) - {"log"} - ({"events.jsonl"} if folder == busy else set()):
            path = Path(folder, name)
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def words(run: str, luck: random.Random) -> list[str]:
    """A command line that must be refused."""
    if luck.random() < 0.3:
        return luck.choice(WORDS).format(run=run).split()
    chosen = luck.sample(sorted(OTHER), luck.randint(1, 3))
    sets = [word for key in chosen for word in ("--set", f"{key}={OTHER[key](luck)}")]
    options = luck.choice(([], [], ["--dry-run"], ["--set", "carbon.pue=2"], ["--out", "build/x"]))
    return ["launch", "spec.yaml", "--run", f"runs/{run}", *sets, *options]


@pytest.mark.timeout(7200)
@pytest.mark.parametrize(
    "campaign", [12, pytest.param(200, marks=pytest.mark.slow)], indirect=True, ids=["slice", "all"]
)
def test_a_refused_launch_changes_no_byte(campaign, project, monkeypatch, capsys) -> None:
    """Exit 2, and everything in run, bundle and project is as before; the running run trains on to its sound stop."""
    monkeypatch.chdir(project)
    monkeypatch.setattr("os.execvp", lambda *words: pytest.fail(f"started {words}"))
    before = digests(project)
    for luck in campaign.cases():
        run = luck.choice(("done", "busy"))
        command = words(run, luck)
        with monkeypatch.context() as here:
            here.setattr("sys.argv", ["trainwright", *command])
            here.setattr("sys.stdout", sys.stdout)
            here.setattr("sys.stderr", sys.stderr)
            with pytest.raises(SystemExit) as end:
                cli.main()
        assert end.value.code == 2, (command, capsys.readouterr())
        assert digests(project) == before, command
        campaign.count(f"against the {'finished' if run == 'done' else 'running'} run")

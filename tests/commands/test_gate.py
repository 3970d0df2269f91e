"""The gate of a launch: what is refused has changed nothing, what is finished says so, what is admitted is kept."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.cli import main

TRAINWRIGHT = Path(sys.executable).with_name("trainwright")
SPEC = """
version: 1
name: t
model: {layers: 1, hidden_size: 32, ffn_size: 64, heads: 2, kv_heads: 1, vocab_size: 384}
tokenizer: {vocab_size: 384, training_bytes: 100 kB}
data: {train: "corpus/*.txt", validation: 10%, tokens: 2048 tokens}
training:
  sequence_length: 32
  global_batch: 8 sequences
  precision: fp32
  optimizer: {learning_rate: 2e-3, warmup: 1 steps}
  checkpoint: {every: 4 steps}
  validation: {every: 100 steps, batches: 1}
cluster: {preset: local-cpu, gpus: 1}
carbon: {pue: 1.0, region: fr}
launch: {target: local}
"""
# Launches of a finished run that must be refused, with the code that each gets.
REFUSED = {
    "model.rope_theta=500000": "TW711",
    "tokenizer.split_digits=false": "TW711",
    "tokenizer.algorithm=unigram": "TW711",
    "data.seed=9": "TW711",
    "data.tokens=4096 tokens": "TW711",
    "data.validation=20%": "TW711",
    "data.train=other/*.txt": "TW815",
    "training.global_batch=16 sequences": "TW711",
    "training.precision=bf16": "TW711",
    "training.seed=3": "TW711",
    "launch.target=slurm": "TW707",
}


def launch(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`trainwright launch spec.yaml` with more words, in `project`."""
    command = [TRAINWRIGHT, "launch", *(words if words and words[0] == "build/t" else ("spec.yaml", *words))]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def refused(monkeypatch, capsys):
    """Run a command line here, in a project; its exit code and what it said. It must not start anything."""

    def run(project: Path, *words: str) -> tuple[int, str]:
        monkeypatch.chdir(project)
        monkeypatch.setattr("sys.argv", ["trainwright", *words])
        monkeypatch.setattr("os.execvp", lambda *words: pytest.fail(f"started {words}"))
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), capsys.readouterr().err

    return run


def digests(project: Path) -> dict[str, str]:
    """Every file of run, bundle and checkpoints with its SHA-256."""
    files = (path for top in ("build", "runs") for path in (project / top).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project with a finished run."""
    project = tmp_path_factory.mktemp("gate")
    draw = random.Random(1)  # noqa: S311 - not a secret
    for folder in ("corpus", "other"):
        (project / folder).mkdir()
        for number in range(40):
            words = ("".join(draw.choices("abcdefghij 0123456789\n", k=6)) for _ in range(200))
            (project / folder / f"{number}.txt").write_text(" ".join(words))
    (project / "spec.yaml").write_text(SPEC)
    done = launch(project)
    assert done.returncode == 0, done.stderr
    return project


@pytest.mark.parametrize("setting", REFUSED)
def test_a_refused_launch_changes_nothing(refused, trained: Path, setting: str) -> None:
    """Exit 2 with the reason; run, bundle and checkpoints are the same to the byte."""
    if setting == "launch.target=slurm" and shutil.which("sbatch"):
        pytest.skip("this machine has Slurm")
    before = digests(trained)
    code, said = refused(trained, "launch", "spec.yaml", "--set", setting)
    assert (code, REFUSED[setting] in said) == (2, True), said
    assert digests(trained) == before


def test_a_finished_run_says_so(trained: Path) -> None:
    """At once, with exit code 0; nothing is metered, nothing written. Also from its bundle, and by its launch.sh."""
    before = digests(trained)
    for words in ((), ("build/t",)):
        done = launch(trained, *words)
        assert (done.returncode, "is finished: 2,048 tokens trained in 8 steps" in done.stderr) == (0, True), (
            done.stderr
        )
    script = ["bash", "build/t/launch.sh", "runs/t", "."]
    environment = {"PATH": f"{TRAINWRIGHT.parent}:/usr/bin:/bin"}
    by_hand = subprocess.run(script, cwd=trained, env=environment, capture_output=True, text=True, check=False)
    assert (by_hand.returncode, "is finished" in by_hand.stderr) == (0, True), by_hand.stderr
    assert digests(trained) == before


@pytest.mark.parametrize(
    ("damage", "setting"),
    [
        ("cut", "model.rope_theta=500000"),
        ("cut", ""),
        ("state", "carbon.pue=2"),
        ("gone", "model.rope_theta=500000"),
        ("gone", ""),
        ("key", "model.rope_theta=500000"),
    ],
)
def test_a_run_without_a_readable_checkpoint_is_left_as_it_is(
    refused, trained: Path, tmp_path: Path, damage: str, setting: str
) -> None:
    """Damaged, deleted or not signed by this key: exit 77 with the reason, and nothing is changed or begun again."""
    project, sets = tmp_path / "copy", [setting] if setting else []
    shutil.copytree(trained, project)
    for generation in (project / "runs/t/checkpoints").glob("step-*"):
        if damage == "cut":
            os.truncate(next((generation / "engine").iterdir()), 100)
        elif damage == "state":
            state = generation / "state.json"
            state.write_text(state.read_text().replace("{", "[", 1))
    if damage == "gone":
        shutil.rmtree(project / "runs/t/checkpoints")
    elif damage == "key":
        (tmp_path / "key").write_text("k" * 32)
        sets.append(f"training.checkpoint.key_file={tmp_path}/key")
    before = digests(project)
    code, said = refused(project, "launch", "spec.yaml", *(word for key in sets for word in ("--set", key)))
    assert (code, "TW714" in said) == (77, True), said
    assert digests(project) == before


def test_a_run_does_not_begin_over_other_files(refused, trained: Path, tmp_path: Path) -> None:
    """A folder named data that is not the run's own is never replaced, and no run lies inside another."""
    project = tmp_path / "copy"
    shutil.copytree(trained, project, ignore=shutil.ignore_patterns("other", "build"))
    (project / "corpus").rename(project / "data")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    for folder, reason in ((".", "TW715"), ("runs/t/checkpoints", "TW634"), ("runs/t/data/a", "TW634")):
        code, said = refused(project, "launch", "spec.yaml", "--set", "data.train=data/*.txt", "--run", folder)
        assert (code, reason in said) == (2, True), said
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "words",
    [
        "compile spec.yaml --force --out runs/t",
        "compile spec.yaml --force --out runs/t/bundle",
        "launch spec.yaml --set name=u --out runs/t/bundle",
        "launch spec.yaml --set name=u --out runs/t/checkpoints/step-00000004",
        "report runs/t --out runs/t/checkpoints",
        "export runs/t --out runs/t/checkpoints/step-00000012",
        "compare runs/t spec.yaml --out runs/t/attempts/1",
    ],
)
def test_nothing_else_is_written_into_a_run(refused, trained: Path, words: str) -> None:
    """TW634 for every command that is given a part of a run as the place of its output."""
    before = digests(trained)
    code, said = refused(trained, *words.split())
    assert (code, "TW634" in said) == (2, True), said
    assert digests(trained) == before


def test_a_dry_run_and_options_of_a_bundle(trained: Path) -> None:
    """A dry run writes nothing, whatever is set; options that a bundle cannot take are refused by name."""
    before = digests(trained)
    assert launch(trained, "--dry-run", "--set", "carbon.pue=1.4").returncode == 0
    for words in (("--set", "data.seed=1"), ("--target", "local"), ("--out", "b")):
        done = launch(trained, "build/t", *words)
        assert (done.returncode, f"TW709 {words[0]}" in done.stderr) == (2, True), done.stderr
    assert digests(trained) == before


def test_the_run_has_its_own_bundle_and_each_attempt_its_plan(trained: Path) -> None:
    """RUN/bundle is the bundle that trained; RUN/attempts/1 holds its plan, estimate, manifest and spec."""
    run, bundle = trained / "runs/t", trained / "build/t"
    assert {p.name: p.read_bytes() for p in (run / "bundle").iterdir()} == {
        p.name: p.read_bytes() for p in bundle.iterdir()
    }
    assert sorted(path.name for path in (run / "attempts/1").iterdir()) == [
        "MANIFEST",
        "estimate.json",
        "plan.json",
        "spec.lock.yaml",
    ]


def test_a_run_is_extended_aloud(trained: Path, tmp_path: Path) -> None:
    """More tokens, a larger batch, a moved corpus: what changes is said, and each attempt has its own factors."""
    project = tmp_path / "copy"
    shutil.copytree(trained, project)
    (project / "corpus").rename(project / "moved")
    sets = ("data.tokens=4096 tokens", "training.global_batch=16 sequences", "training.on_change=apply", "carbon.pue=2")
    done = launch(project, *(word for key in (*sets, "data.train=moved/*.txt") for word in ("--set", key)))
    assert done.returncode == 0, done.stderr
    for said in (
        "sequences per step: 8 so far, 16 now",
        "steps left: 4, up to step 12",
        "learning rate: 0.0002 at step 8",
    ):
        assert said in done.stderr
    events = [json.loads(line) for line in (project / "runs/t/events.jsonl").read_text().splitlines()]
    assert [event["tokens"] for event in events if event["kind"] == "step"][-1] == 4096
    report = subprocess.run(
        [TRAINWRIGHT, "report", "runs/t", "--json"], cwd=project, capture_output=True, text=True, check=True
    )
    run = json.loads(report.stdout)["runs"][0]
    used = [attempt["energy_kwh"] for attempt in run["attempts"]]
    intensity = run["carbon"]["intensity_kg_per_kwh"]
    assert run["actual"]["carbon_tonnes"] == pytest.approx((used[0] + 2 * used[1]) * intensity / 1000)
    assert (run["training"]["steps"], run["training"]["planned_steps"]) == (12, 12)

"""`trainwright data`: prepare without a run, and no option that is ignored."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from trainwright import cli
from trainwright.runtime.prepare import make_units
from trainwright.spec.exit_codes import Exit
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.logged import logged_events
from trainwright.tests.services.tiny import write_spec


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run a command in this process, in a project with a corpus of 60 documents; exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()
    for number in range(60):
        text = " ".join(f"{number * place % 97} tokens a second," for place in range(40))
        (tmp_path / "corpus" / f"{number}.txt").write_text(text)
    write_spec(tmp_path, "{target: local}", steps=20)
    text = (tmp_path / "tiny.yaml").read_text()
    (tmp_path / "tiny.yaml").write_text(text.replace("gpus_per_node: 1", "gpus_per_node: 2").replace("384", "300"))

    def runner(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trainwright", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        return code, *capsys.readouterr()

    return runner


def test_data_is_prepared_without_a_run(run, monkeypatch):
    """The dataset is in the store, energy in the events, nothing was started; again, it is verified, not made."""
    assert run("data", "prepare", "tiny.yaml", "--workers", "1")[0] == 0
    folder = RunFolder(Path("runs/tiny"))
    assert folder.data.resolve().parent == Path("runs/.datasets").resolve()
    assert [event["name"] for event in logged_events(folder.events, "phase")] == ["tokenizer", "data"]
    assert not logged_events(folder.events, "start")
    monkeypatch.setattr(make_units, "commit", None)
    code, _, said = run("data", "prepare", "tiny.yaml")
    assert (code, "data       verified" in said) == (0, True)
    code, _, said = run("data", "prepare", "tiny.yaml", "--run", "runs/other")
    assert (code, "data       found in" in said) == (0, True)
    code, shown, _ = run("data", "list", "--format", "csv")
    assert (code, shown.count("ready")) == (0, 1)


def test_what_is_wrong_with_the_corpus_ends_with_its_code(run):
    """As in a launch: the problems with their places, exit 2, and no half dataset."""
    Path("corpus/0.txt").write_bytes(b"\xff\xfe")
    code, _, said = run("data", "prepare", "tiny.yaml", "--workers", "1")
    assert (code, "0.txt:1: error TW834" in said) == (2, True)
    assert "unfinished" not in run("data", "list")[1]


def test_a_full_disk_loses_nothing(run, monkeypatch):
    """A code of its own, nothing half visible; with space again the same command makes what is missing."""
    real = make_units.commit

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "shard")

    monkeypatch.setattr(make_units, "commit", full)
    code, _, said = run("data", "prepare", "tiny.yaml", "--workers", "1")
    assert (code, "datasets cannot be written" in said) == (Exit.STORAGE, True)
    assert "ready" not in run("data", "list")[1]
    monkeypatch.setattr(make_units, "commit", real)
    code, _, said = run("data", "prepare", "tiny.yaml", "--workers", "1")
    assert (code, "tokenizer  unchanged" in said) == (0, True)


def test_a_dataset_that_lost_a_shard_is_made_again(run):
    """`verify` names what is gone, `list` what has no index; the next preparation makes the same bytes."""
    run("data", "prepare", "tiny.yaml", "--workers", "1")
    folder = RunFolder(Path("runs/tiny")).data.resolve()
    shard = next(folder.glob("train-*.bin"))
    content = shard.read_bytes()
    shard.unlink()
    code, shown, _ = run("data", "verify")
    assert (code, shard.name in shown) == (Exit.CORRUPT, True)
    assert run("data", "prepare", "tiny.yaml", "--workers", "1")[0] == 0
    assert shard.read_bytes() == content
    (folder / "index.json").write_text("garbage")
    assert "damaged" in run("data", "list")[1]
    code, _, said = run("data", "show", folder.name)
    assert (code, "index.json cannot be read: it is damaged" in said, "pydantic" in said) == (2, True, False)
    assert run("data", "prepare", "tiny.yaml", "--workers", "1")[0] == 0
    assert run("data", "verify")[0] == 0


@pytest.mark.parametrize(
    "words",
    [
        ["list", "deadbeef"],
        ["list", "--dry-run"],
        ["show"],
        ["show", "abc", "--dry-run"],
        ["verify", "--dry-run"],
        ["verify", "--format", "json"],
        ["prune", "--format", "json"],
        ["prepare", "tiny.yaml", "--store", "elsewhere"],
        ["prepare", "tiny.yaml", "--workers", "0"],
        ["prepare", "tiny.yaml", "--workers", "2", "--set", "launch={target: slurm}"],
        ["prepare", "tiny.yaml", "--run", "r", "--set", "matrix.data.seed=[1, 2]"],
        ["prepare", "tiny.yaml", "--set", "matrix.data.seed=[1, 2]", "--set", "launch={target: slurm}"],
    ],
    ids=" ".join,
)
def test_what_does_not_apply_is_refused(run, words):
    """Exit 2, and nothing is written: no option is ignored."""
    before = sorted(Path().rglob("*"))
    code, _, said = run("data", *words)
    assert (code, bool(said)) == (2, True)
    assert sorted(Path().rglob("*")) == before

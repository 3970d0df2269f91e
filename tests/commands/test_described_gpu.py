"""A device that the spec describes, through the commands: every output that names it says whose figures it has."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from trainwright import cli

SPEC = Path(__file__).parents[2] / "examples/llama2-7b.yaml"
GPU = "{name: X1, memory: 80 GiB, peak: {bf16: 312 TFLOPS}, bandwidth: 2 TB/s, link: 300 GB/s, power: %s}"
POWER = "{lowest: 100 W, default: 400 W, highest: 400 W, idle: 50 W}"


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run a command on the spec with that device, in an empty folder; its output and errors."""

    def runner(*words, power=POWER):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["trainwright", *words, "--set", f"cluster.gpu={GPU % power}"])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        assert not leaving.value.code
        shown = capsys.readouterr()
        return shown.out + shown.err

    return runner


@pytest.mark.parametrize(
    "words",
    [
        ["check", str(SPEC)],
        ["plan", str(SPEC)],
        ["estimate", str(SPEC)],
        ["estimate", str(SPEC), "--format", "json"],
        ["scaling", str(SPEC)],
        ["compare", str(SPEC)],
    ],
    ids=lambda words: "-".join(words[:1] + words[3:]),
)
def test_outputs_label_the_device(run, words):
    """Each command that estimates names the device with the words that tell whose figures these are."""
    assert "X1 (user-described)" in run(*words)


def test_the_plan_that_the_runtime_reads_labels_the_device(run, tmp_path):
    """Reports are made from plan.json, which has the labelled name, its peak and its link."""
    run("compile", str(SPEC))
    device = json.loads((tmp_path / "build/llama2-7b/plan.json").read_text(encoding="utf-8"))["device"]
    assert (device["name"], device["peak_flops"], device["link_bandwidth"]) == ("X1 (user-described)", 312e12, 300e9)
    lock = (tmp_path / "build/llama2-7b/spec.lock.yaml").read_text(encoding="utf-8")
    assert 'name: "X1"' in lock


def test_without_power_limits_the_draw_is_unknown(run):
    """No other device's draw is taken in its place: the fields of a CSV file are empty."""
    shown = run("estimate", str(SPEC), "--set", "cluster.power_cap=null", "--format", "csv", power="null")
    rows = {row[0]: row[1] for row in csv.reader(shown.splitlines()) if len(row) > 1}
    assert [rows[name] == "" for name in ("Draw (W)", "Energy of devices (kWh)")] == [True] * 2

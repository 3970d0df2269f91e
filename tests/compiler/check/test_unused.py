"""TW405: settings without effect are pointed out where somebody can remove them."""

from __future__ import annotations

import pytest

from trainwright.compiler.check import check_files

BASE = """\
version: 1
name: base
model: {layers: 4, hidden_size: 192, ffn_size: 512, heads: 6, kv_heads: 2, vocab_size: 2048}
tokenizer: {vocab_size: 2048}
data: {train: python:stdlib, tokens: 40M}
training: {sequence_length: 256, global_batch: 16 sequences, precision: fp32, optimizer: {learning_rate: 2e-3}}
cluster: local-cpu
carbon: {pue: 1.0, intensity: 50 g/kWh}
launch: {target: slurm, partition: cpu}
"""
ELSEWHERE = "launch: {target: local}\n"


def found(path) -> list[str]:
    """The keys that the rule names in a spec."""
    problems, _ = check_files([path])
    return [problem.path for problem in problems if problem.code == "TW405"]


@pytest.mark.parametrize(
    ("text", "named"),
    [(f"extends: base.yaml\n{ELSEWHERE}", []), (BASE.replace("slurm", "local"), ["launch.partition"])],
    ids=["of a base", "its own"],
)
def test_only_what_the_spec_itself_says_is_named(tmp_path, text: str, named: list[str]) -> None:
    """A key of a base that the spec makes void is no warning, since nobody could remove it; its own is."""
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "spec.yaml").write_text(text)
    assert found(tmp_path / "spec.yaml") == named


def test_a_value_of_the_command_line_is_its_own(tmp_path) -> None:
    """`--set` says it now, so it can be left out."""
    (tmp_path / "spec.yaml").write_text(BASE.replace("target: slurm, partition: cpu", "target: local"))
    problems, _ = check_files([tmp_path / "spec.yaml"], ["launch.partition=gpu"])
    assert "TW405" in {problem.code for problem in problems}


@pytest.mark.parametrize(
    "key", ["time_limit=1h", "container={image: i, mounts: ['/a:/b']}", "container={image: i, runtime: apptainer}"]
)
def test_what_another_target_ignores_is_named(tmp_path, key: str) -> None:
    """A limit that only Slurm keeps, and what only Slurm's containers take."""
    (tmp_path / "spec.yaml").write_text(BASE.replace("partition: cpu", "volume_claim: shared, container: image"))
    sets = ["launch.target=kubernetes", f"launch.{key}"]
    problems, _ = check_files([tmp_path / "spec.yaml"], sets)
    named = [problem.path for problem in problems if problem.code == "TW405"]
    assert named == [
        "launch.time_limit" if "limit" in key else f"launch.container.{'mounts' if 'mounts' in key else 'runtime'}"
    ]

"""Slurm's refusal of a job: what of the spec it can be about."""

from __future__ import annotations

import pytest

from trainwright.runtime.launch.slurm_refusal import suspects

LOCK = """\
name: "a"  # a.yaml:1
cluster:
  gpus: 16  # a.yaml:2
launch:
  account: "nlp"  # a.yaml:4
  partition: "gpu"  # a.yaml:4
  slurm:
    mem: "90 GiB"  # a.yaml:5
    qos: "huge"  # a.yaml:5
    requeue: true  # default
logging:
  account: "other"  # a.yaml:9
"""


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("sbatch: error: Invalid qos specification", ["account", "partition", "qos"]),
        ("Memory specification can not be satisfied", ["partition", "mem"]),
        ("invalid partition specified: gpu", ["partition"]),
        ("something new", ["gpus", "account", "partition", "mem", "qos"]),
    ],
)
def test_a_refusal_is_about_settings_that_the_user_wrote(said: str, keys: list[str]) -> None:
    """Of the sections cluster and launch alone, never a default, and those first that Slurm's words are about."""
    assert [line.split(":")[0].strip() for line in suspects(said, LOCK)] == keys

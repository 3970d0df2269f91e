"""What a site asks of its Slurm jobs reaches the batch scripts, in sbatch's own words."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from trainwright.compiler.pipeline import compile_bundle
from trainwright.spec.facts import facts
from trainwright.tests.compiler.specs import loaded

CONTAINER = "launch.container={image: /images/tw.sif, runtime: apptainer, mounts: [/scratch:/scratch:ro]}"


def bundle(*sets: str) -> dict[str, str]:
    """The Slurm bundle of a Llama 2 example with those settings."""
    return compile_bundle(loaded("llama2-7b", "launch.target=slurm", *sets))


def directives(script: str) -> list[str]:
    """The `#SBATCH` options of a script."""
    return re.findall(r"^#SBATCH --(.*)$", script, re.MULTILINE)


@pytest.mark.parametrize(
    ("setting", "directive"),
    [
        ("qos=large", "qos=large"),
        ("constraint=a100&hbm80g", "constraint='a100&hbm80g'"),
        ("gres=gpu:a100:8", "gres=gpu:a100:8"),
        ("nodelist=node[01-16]", "nodelist='node[01-16]'"),
        ("mem=480 GiB", "mem=491520"),
        ("cpus_per_task=64", "cpus-per-task=64"),
        ("mail_type=[END, FAIL]", "mail-type=END,FAIL"),
        ("signal_lead=20 min", "signal=B:USR1@1200"),
        ("requeue=false", "no-requeue"),
        ("options={wckey: llm}", "wckey=llm"),
        ('options={contiguous: ""}', "contiguous"),
    ],
)
def test_a_setting_is_an_option_of_the_training_job(setting: str, directive: str) -> None:
    """Each key of `launch.slurm` becomes the option of sbatch of the same name."""
    assert directive in directives(bundle(f"launch.slurm.{setting}")["slurm.sbatch"])


def test_no_limit_becomes_none_by_rounding() -> None:
    """Slurm reads a limit of zero as no limit: a part of a second is a whole one."""
    assert "time=0-00:00:01" in directives(bundle("launch.time_limit=0.4 s")["slurm.sbatch"])


def test_generic_resources_take_the_place_of_gpus_per_node() -> None:
    """A site that wants `--gres` refuses a second request for GPUs."""
    asked = directives(bundle("launch.slurm.gres=gpu:8")["slurm.sbatch"])
    assert [option for option in asked if option.startswith("gpus")] == []


def test_the_prepare_job_has_a_place_of_its_own() -> None:
    """Partition, QOS and time limit of `prepare` are its own; its account is the training job's, unless given."""
    own = "launch.slurm.prepare={partition: cpu, qos: short, time_limit: 2h, exclusive: false}"
    files = bundle("launch.partition=gpu", "launch.account=llm", "launch.slurm.qos=large", own)
    assert directives(files["prepare.sbatch"])[3:] == ["partition=cpu", "account=llm", "qos=short", "time=0-02:00:00"]


def test_a_job_that_is_not_requeued_does_not_requeue_itself() -> None:
    """`requeue: false` leaves no `scontrol requeue` in the script."""
    assert "scontrol requeue" in bundle()["slurm.sbatch"]
    assert "scontrol requeue" not in bundle("launch.slurm.requeue=false")["slurm.sbatch"]


def test_every_python_of_a_container_job_is_the_containers() -> None:
    """Prepare, training and the question of a restart all run inside, where `python` is the image's."""
    files = bundle(CONTAINER)
    assert "TRAINWRIGHT_PYTHON=python\n" in files["env.sh"]
    assert 'exec "${inside[@]}" "${prepare[@]}"' in files["prepare.sbatch"]
    assert 'if "${inside[@]}" "$python" -m trainwright.runtime.launch.restart' in files["slurm.sbatch"]
    for name in ("prepare.sbatch", "slurm.sbatch"):
        assert ',/scratch:/scratch:ro" /images/tw.sif)' in files[name]


def test_setup_runs_outside_of_a_container() -> None:
    """Modules are the host's: with a container the batch scripts load them, and node.sh inside does not."""
    lines = "launch.setup=[module load cuda]"
    assert "module load cuda\n" in bundle(lines)["setup.sh"]
    assert 'source "$bundle/setup.sh"' in bundle(lines)["node.sh"]
    inside = bundle(lines, CONTAINER)
    assert ['source "$bundle/setup.sh"' in inside[name] for name in ("slurm.sbatch", "prepare.sbatch", "node.sh")] == [
        True,
        True,
        False,
    ]


@pytest.mark.service
@pytest.mark.skipif(shutil.which("sbatch") is None, reason="no sbatch here (apt-get install slurm-wlm)")
def test_the_table_of_options_holds_what_sbatch_has(tmp_path) -> None:
    """Each long option of the installed sbatch is in the table: free to use, or set by the bundle."""
    conf = tmp_path / "slurm.conf"
    conf.write_text("ClusterName=x\nSlurmctldHost=localhost\nNodeName=n1\nPartitionName=p Nodes=n1\n")
    environment = {**os.environ, "SLURM_CONF": str(conf)}
    text = subprocess.run(
        ["sbatch", "--help"], env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    table = facts("slurm")
    known = {*table["flags"], *table["with_value"], *table["ours"]}
    assert set(re.findall(r"--([a-z][a-z-]+)", text)) - known == set()

"""compile, launch, status, stop and preflight as a user types them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
TRAINWRIGHT = Path(sys.executable).with_name("trainwright")


def trainwright(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in `folder`."""
    return subprocess.run(
        [TRAINWRIGHT, *words], cwd=folder, capture_output=True, text=True, check=False, timeout=100, env=os.environ
    )


@pytest.fixture
def project(tmp_path) -> Path:
    """A folder with the tiny example, compiled."""
    shutil.copy(EXAMPLES / "tiny-cpu.yaml", tmp_path)
    assert trainwright(tmp_path, "compile", "tiny-cpu.yaml").returncode == 0
    return tmp_path


def test_a_second_compilation_changes_nothing(project) -> None:
    """The bundle is byte-identical, so nothing is written."""
    assert "unchanged" in trainwright(project, "compile", "tiny-cpu.yaml").stdout


def test_check_exits_2_when_the_bundle_is_stale(project) -> None:
    """`compile --check` is for CI of checked-in bundles: it names the files, and writes nothing."""
    assert trainwright(project, "compile", "--check", "tiny-cpu.yaml").returncode == 0
    changed = trainwright(project, "compile", "--check", "tiny-cpu.yaml", "--set", "training.seed=1")
    assert changed.returncode == 2
    assert "plan.json" in changed.stdout
    assert trainwright(project, "compile", "--check", "tiny-cpu.yaml").returncode == 0


def test_the_target_can_be_chosen(project) -> None:
    """--target renders the same plan for another launcher."""
    done = trainwright(project, "compile", "tiny-cpu.yaml", "--target", "slurm", "--out", "other")
    assert done.returncode == 0
    assert (project / "other" / "slurm.sbatch").exists()


def test_an_unknown_target_is_refused(project) -> None:
    """The known ones are named."""
    done = trainwright(project, "compile", "tiny-cpu.yaml", "--target", "cloud")
    assert (done.returncode, "kubernetes" in done.stderr) == (2, True)


@pytest.mark.parametrize("source", ["tiny-cpu.yaml", "build/tiny-cpu"])
def test_a_hand_edited_bundle_is_noticed_and_named(project, source: str) -> None:
    """Launching a spec or its bundle, an edited file stops it with 2 and is neither run nor overwritten."""
    script = project / "build/tiny-cpu/node.sh"
    script.write_text(script.read_text() + "touch edited-file-ran\n")
    done = trainwright(project, "launch", source)
    assert (done.returncode, "node.sh was changed" in done.stderr) == (2, True)
    assert not (project / "edited-file-ran").exists()
    assert "edited-file-ran" in script.read_text()


def test_a_dry_run_starts_nothing(project) -> None:
    """It compiles, verifies, and prints the command."""
    done = trainwright(project, "launch", "--dry-run", "tiny-cpu.yaml")
    assert (done.returncode, "launch.sh" in done.stdout) == (0, True)
    assert not (project / "runs").exists()


def test_a_run_folder_that_cannot_be_made_is_an_input_error(project) -> None:
    """It is named with a remedy and exit code 2, and nothing is started; launch.sh by hand exits alike."""
    done = trainwright(project, "launch", "tiny-cpu.yaml", "--run", "/proc/x")
    assert (done.returncode, done.stdout) == (2, "")
    assert "TW640" in done.stderr
    assert "/proc/x" in done.stderr
    words = ["bash", "build/tiny-cpu/launch.sh", "/proc/x"]
    by_hand = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False, timeout=60)
    assert (by_hand.returncode, "/proc/x" in by_hand.stderr) == (2, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount a disk")
def test_a_read_only_disk_is_no_matter_of_permissions(project) -> None:
    """A run folder there ends the launch with the code of storage, and the reason is the disk's."""
    (folder := project / "runs/tiny-cpu").mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", folder], check=False).returncode:
        pytest.skip("no disk can be mounted")
    try:
        done = trainwright(project, "launch", "tiny-cpu.yaml")
    finally:
        subprocess.run(["umount", folder], check=True)
    assert (done.returncode, "TW640: cannot use runs/tiny-cpu: Read-only file system" in done.stderr) == (78, True)


def test_a_run_folder_whose_name_is_not_utf8_is_refused(project) -> None:
    """TensorBoard could not write there: said before anything is made, not by a rank's traceback."""
    done = trainwright(project, "launch", "tiny-cpu.yaml", "--run", "runs/\udcff")
    assert (done.returncode, "TW640" in done.stderr, "the path is not UTF-8" in done.stderr) == (2, True, True)
    assert not (project / "runs").exists()


def test_ctrl_c_before_training_is_silent(project) -> None:
    """Nothing is said of a preparation that the launcher's SIGTERM ended, and passes on how it ended."""
    python = project / "python"
    python.write_text("#!/bin/sh\ncase $* in *prepare*) echo preparing >&2; kill -TERM $$ ;; esac\n")
    python.chmod(0o755)
    (project / "run").mkdir()
    words = ["bash", "build/tiny-cpu/node.sh", "run", "."]
    environment = {**os.environ, "TRAINWRIGHT_PYTHON": str(python)}
    done = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "preparing\n")


def test_what_is_no_bundle_is_not_launched(project) -> None:
    """A folder without MANIFEST holds nothing that we wrote."""
    (project / "empty").mkdir()
    assert trainwright(project, "launch", "empty").returncode == 2


def test_stop_and_status_of_a_run_that_is_not_running(project) -> None:
    """Status says so; stop exits 2 and creates no stop file that would end the next launch."""
    (project / "runs/tiny-cpu").mkdir(parents=True)
    shutil.copy(project / "build/tiny-cpu/plan.json", project / "runs/tiny-cpu")
    assert "not running" in trainwright(project, "status", "runs/tiny-cpu").stdout


def test_status_of_no_run_is_an_error(project) -> None:
    """A mistyped folder is not a run that stands still."""
    done = trainwright(project, "status", "runs/tiny-cup")
    assert (done.returncode, "TW861" in done.stderr, done.stdout) == (2, True, "")
    assert trainwright(project, "stop", "runs/tiny-cpu").returncode == 2
    assert not (project / "runs/tiny-cpu/stop").exists()


def test_preflight_prints_a_table(project) -> None:
    """Cores, memory and disk of this machine, each with a verdict."""
    done = trainwright(project, "preflight", "tiny-cpu.yaml")
    assert done.returncode == 0, done.stdout
    assert [line.split()[1] for line in done.stdout.splitlines() if line.split()[0] in ("pass", "warn")] == [
        "cores",
        "memory",
        "open",
        "disk",
        "disk",
    ]


def test_preflight_fails_with_what_to_do(project) -> None:
    """On a machine without the GPUs of the spec it exits 2 and says what to do."""
    done = trainwright(project, "preflight", str(EXAMPLES / "llama2-7b.yaml"))
    if "fail  devices" not in done.stdout:
        pytest.skip("this machine has NVIDIA GPUs")
    assert (done.returncode, "load NVIDIA's driver" in done.stdout) == (2, True)


@pytest.mark.parametrize(("target", "program"), [("slurm", "sbatch"), ("kubernetes", "kubectl")])
def test_a_launch_without_the_clusters_software_says_where_to_go(
    project, monkeypatch, target: str, program: str
) -> None:
    """A laptop has no sbatch: exit 2 and what to do, not a shell's `command not found`."""
    tools = project / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "mkdir"):
        (tools / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(tools))
    sets = ["--set", "launch.container=image", "--set", "launch.volume_claim=claim"] if target == "kubernetes" else []
    done = trainwright(project, "launch", "tiny-cpu.yaml", "--target", target, "--out", "other", *sets)
    assert (done.returncode, f"TW707: {program} is not installed here" in done.stderr) == (2, True), done.stderr


def test_a_gpu_bundle_on_a_machine_without_gpus_ends_with_a_table(project) -> None:
    """Launched, it leaves with 2 before anything is prepared: which check failed, what to do, and no traceback."""
    if Path("/proc/driver/nvidia").exists():
        pytest.skip("this machine has NVIDIA GPUs")
    gpus = "cluster={gpu: A100-SXM4-80GB, gpus: 2, gpus_per_node: 2, power_cap: 300 W}"
    done = trainwright(project, "launch", "tiny-cpu.yaml", "--set", gpus, "--out", "gpus")
    table = [line[:15].strip() for line in done.stdout.splitlines() if line[:4] in ("pass", "fail", "warn")]
    assert (done.returncode, table[0]) == (2, "fail  devices")
    assert "load NVIDIA's driver, or give the job GPUs" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not (project / "runs/tiny-cpu/tokenizer").exists()


def test_a_bundle_from_elsewhere_runs_anywhere(project) -> None:
    """No path of the machine that compiled it is inside: moved, it is still whole and gives the same command."""
    moved = project / "elsewhere"
    (project / "build/tiny-cpu").rename(moved)
    done = trainwright(project, "launch", "--dry-run", "elsewhere")
    assert (done.returncode, str(moved / "launch.sh") in done.stdout) == (0, True)

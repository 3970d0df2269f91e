"""env.sh: what every process of a run has in its environment, and what it has not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle

ROOT = Path(__file__).parents[3]
MPI = {"OMPI_COMM_WORLD_LOCAL_RANK": "3"}  # DeepSpeed takes it for its own
FOREIGN = {"RANK": "3", "LOCAL_RANK": "3", "WORLD_SIZE": "8", "MASTER_ADDR": "127.0.0.9", "PET_NNODES": "4", **MPI}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """A bundle for this machine."""
    return compile_bundle(load(ROOT / "examples/tiny-cpu.yaml"))


def sourced(files: dict[str, str], folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """A command after env.sh, in a folder, where another job has left its variables."""
    (folder / "env.sh").write_text(files["env.sh"], encoding="utf-8")
    words = ["bash", "-euc", f"source ./env.sh; {command}"]
    return subprocess.run(words, cwd=folder, env=os.environ | FOREIGN, capture_output=True, text=True, check=True)


def test_what_torch_cannot_ask_for_is_in_the_environment(tmp_path):
    """Deterministic cuBLAS, NCCL and compiler on GPUs, where the spec asks for them; nothing on CPUs."""
    names = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "NCCL_ALGO": "^NVLS", "TORCHINDUCTOR_DETERMINISTIC": "1"}
    for spec, wanted in (("llama2-7b", names), ("tiny-cpu", {})):
        asked = compile_bundle(load(ROOT / f"examples/{spec}.yaml", ["training.deterministic=true"]))
        found = dict(line.partition("=")[::2] for line in sourced(asked, tmp_path, "env").stdout.splitlines())
        assert {name: found[name] for name in names if name in found} == wanted
    assert "CUBLAS" not in compile_bundle(load(ROOT / "examples/llama2-7b.yaml"))["env.sh"]


def test_what_another_job_left_is_dropped_and_said(files, tmp_path):
    """RANK and its kin would make these processes wait for strangers."""
    done = sourced(files, tmp_path, "env")
    assert not FOREIGN.keys() & {line.split("=")[0] for line in done.stdout.splitlines()}
    assert done.stderr == (
        "trainwright: ignored, since they belong to another job: RANK LOCAL_RANK WORLD_SIZE MASTER_ADDR "
        "PET_NNODES OMPI_COMM_WORLD_LOCAL_RANK\n"
    )


@pytest.mark.parametrize("module", ["random", "queue", "tokenize", "copy", "numpy"])
def test_a_module_beside_the_spec_is_not_imported(files, tmp_path, module):
    """Python's own module runs, whatever the user's files are called."""
    (tmp_path / f"{module}.py").write_text("raise SystemExit('the user's file ran')", encoding="utf-8")
    sourced(
        files,
        tmp_path,
        f"{sys.executable} -m trainwright.runtime.prepare --help; {sys.executable} -c 'import {module}'",
    )


def test_the_starters_of_processes_read_it(files):
    """No script starts Python before the environment is right."""
    for name, text in files.items():
        if "-m trainwright" in text and name.endswith((".sh", ".sbatch")):
            assert 0 < text.find('source "$bundle/env.sh"') < text.find("-m trainwright"), name

"""The preflight: each finding says what was seen and what to do; ranks measure their network together."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from trainwright.compiler.pipeline import compile_bundle
from trainwright.runtime.preflight import bandwidth, machine, nccl
from trainwright.runtime.preflight.all_nodes import worst_findings
from trainwright.runtime.preflight.check_result import CheckResult
from trainwright.runtime.preflight.devices import driver_fits
from trainwright.spec.facts import facts
from trainwright.spec.plan import Plan
from trainwright.tests.compiler.specs import loaded, unit

NODES = "cluster.interconnect={kind: ethernet, bandwidth_per_node: 1000 Gbps, socket_interface: lo}"


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The plan of the tiny example."""
    return unit("tiny-cpu").plan


def test_a_disk_that_is_too_small_fails(plan: Plan, tmp_path: Path, monkeypatch) -> None:
    """The checkpoints that are kept and the one being written must fit; otherwise it says what to do."""
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's
    needed = machine.checkpoint_bytes(plan) * (plan.training.checkpoint.keep_last + 1)
    states = {}
    for free in (needed - 1, needed):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: usage(free, 0, free))
        states[free - needed] = machine.disk_space(plan, tmp_path)
    assert [finding.state for finding in states.values()] == ["fail", "pass"]
    assert "keep fewer checkpoints" in states[-1].remedy


def test_memory_that_cannot_hold_the_state_fails_on_cpu(plan: Plan, monkeypatch) -> None:
    """On CPU the state lives in main memory."""
    memory = namedtuple("memory", "available")  # noqa: PYI024 - as psutil's
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(1000))
    assert machine.memory(plan).state == "fail"


def test_the_disk_is_really_written(plan: Plan, tmp_path: Path) -> None:
    """The speed comes from a file that was written, synced and removed."""
    finding = machine.disk_speed(plan, tmp_path)
    assert (finding.state, "MiB/s" in finding.seen, list(tmp_path.iterdir())) == ("pass", True, [])


LOGS = {
    "rdma": ("n:1:2 [0] NCCL INFO Channel 00/0 : 8[0] -> 0[0] [send] via NET/IB/0/GDRDMA", {"NET/IB"}),
    "tcp": ("n:1:2 [0] NCCL INFO Channel 00/0 : 8[0] -> 0[0] [receive] via NET/Socket/0", {"NET/Socket"}),
    "announced": ("n:1:2 [0] NCCL INFO Using network Socket", {"NET/Socket"}),
    "both": (
        "NCCL INFO Using network IB\nNCCL INFO Channel 00/0 : 8[0] -> 0[0] [send] via NET/Socket/0",
        {"NET/Socket"},
    ),
    "HPC-X": ("n:1:2 [0] NCCL INFO Channel 00/0 : 8[0] -> 0[0] [send] via NET/IBext_v8/0/GDRDMA", {"NET/IBext_v8"}),
    "Google": ("n:1:2 [0] NCCL INFO Using network gIB", {"NET/gIB"}),
    "UCX": ("n:1:2 [0] NCCL INFO Channel 00/0 : 8[0] -> 0[0] [send] via NET/UCX/0", {"NET/UCX"}),
    "inside": ("n:1:2 [0] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM", set()),
}


@pytest.mark.parametrize(("log", "seen"), LOGS.values(), ids=LOGS)
def test_the_transport_is_read_from_nccls_log(log: str, seen: set[str]) -> None:
    """What carries a channel counts, not what was announced; links inside a node are not the fabric."""
    assert nccl.transports_in(log.splitlines()) == seen


def test_tcp_in_place_of_infiniband_fails() -> None:
    """A fabric that NCCL could not use is found before the run is ten times slower than planned."""
    plan = unit("llama2-7b").plan
    states = [
        nccl.check_fabric(plan, seen)[0].state for seen in ({"NET/IB"}, {"NET/Socket"}, {"NET/IB", "NET/Socket"}, set())
    ]
    assert states == ["pass", "fail", "fail", "warn"]
    assert nccl.check_fabric(unit("tiny-cpu").plan, set()) == []


@pytest.mark.parametrize("transport", ["NET/IBext_v8", "NET/UCX", "NET/gIB", "NET/AWS", "NET/Libfabric", "NET/Ours-2"])
def test_whatever_is_not_tcp_is_the_fabric(transport: str) -> None:
    """NCCL has plug-ins for RDMA under many names, in HPC-X, NGC and cloud images."""
    assert nccl.check_fabric(unit("llama2-7b").plan, {transport})[0].state == "pass"


def test_the_worst_node_speaks() -> None:
    """Of a thousand nodes one line a check remains: the worst, with the host that has it."""
    nodes = [("n1", [CheckResult("disk", "pass", "ok")]), ("n2", [CheckResult("disk", "fail", "full", "free space")])]
    assert worst_findings(nodes) == [CheckResult("disk", "fail", "n2: full", "free space")]
    assert worst_findings([nodes[0], ("n3", nodes[0][1])]) == [CheckResult("disk", "pass", "ok (all 2 nodes)")]


def test_bandwidth_far_below_the_claim_is_a_warning() -> None:
    """Half of the line rate is imperfect, less is wrong; without a claim there is nothing to compare."""
    measured = bandwidth.Measured("all-reduce", {2**20: 1e9, 2**24: 4e9})
    states = [bandwidth._against_claim("x", measured, claim).state for claim in (8e9, 8.1e9, None)]
    assert states == ["pass", "warn", "pass"]


def test_ranks_measure_clocks_and_bandwidth_together(tmp_path: Path) -> None:
    """Two ranks on two nodes over gloo: one table, with a bandwidth far below an absurd claim."""
    files = compile_bundle(loaded("tiny-cpu", "cluster.gpus_per_node=1", NODES), "slurm")
    (tmp_path / "plan.json").write_text(files["plan.json"])
    launcher = [
        sys.executable,
        "-m",
        "trainwright.runtime.launch.node_launcher",
        f"--run={tmp_path}",
        "--ranks=2",
        "--",
    ]
    words = [*launcher, "trainwright.runtime.preflight", "--bundle", str(tmp_path), "--run", str(tmp_path / "run")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    result = subprocess.run(words, capture_output=True, text=True, check=False, timeout=200, env=environment)
    assert result.returncode == 0, result.stderr
    table = {
        line[6:28].strip(): line[:4] for line in result.stdout.splitlines() if line[:4] in ("pass", "warn", "fail")
    }
    assert table["clocks"] == "pass"
    assert [state for name, state in table.items() if "across" in name] == ["warn", "warn"]


@pytest.mark.parametrize(
    ("driver", "cuda", "state", "word"),
    [
        ("535.183.01", "13.0", "fail", "install torch for CUDA 12"),
        ("570.86.15", "13.0", "fail", "580.65.06"),
        ("580.95.05", "13.0", "pass", ""),
        ("535.183.01", "12.6", "pass", ""),
        ("580.95.05", None, "fail", "install torch for CUDA"),
    ],
)
def test_a_driver_too_old_for_torch_fails_in_one_line(driver: str, cuda: str | None, state: str, word: str) -> None:
    """Before every rank would print a traceback: which driver it takes, or which build of torch this one runs."""
    finding = driver_fits(driver, cuda)
    assert finding.state == state
    assert word in finding.remedy


def test_the_page_that_it_names_has_the_table() -> None:
    """Every oldest driver of the facts, and the command that shows which torch is there."""
    assert "docs: drivers" in driver_fits("535.183.01", "13.0").remedy
    page = (Path(__file__).parents[3] / "docs/how-to/drivers.md").read_text(encoding="utf-8")
    for cuda, oldest in facts("drivers")["oldest"].items():
        assert f"| CUDA {cuda} | {oldest} |" in page


def test_limits_of_files_and_locked_memory_are_looked_at(monkeypatch) -> None:
    """A thousand ranks take few descriptors; without locked memory RDMA does not start."""
    plan = unit("llama2-7b", "cluster.interconnect.hcas=[mlx5_0]").plan
    monkeypatch.setattr(
        resource, "getrlimit", lambda which: (65536, 256) if which == resource.RLIMIT_NOFILE else (65536,) * 2
    )
    files, memory = machine.open_files(plan), machine.locked_memory(plan)
    assert (files.state, memory[0].state) == ("fail", "warn")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    files, memory = machine.open_files(plan), machine.locked_memory(plan)
    assert (files.state, memory[0].state) == ("pass", "pass")
    assert machine.locked_memory(unit("tiny-cpu").plan) == []


def test_what_compiles_is_looked_for_where_something_is_compiled(monkeypatch) -> None:
    """Triton needs a C compiler: without one the preflight fails and names both ways out."""
    monkeypatch.setattr(machine, "find_spec", lambda _: object())
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (found,) = machine.compiler(unit("llama2-7b").plan)
    assert found.state == "fail"
    assert "C compiler" in found.seen
    assert "training.compile: false" in found.remedy
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(Path, "exists", lambda _: True)
    assert [f.state for f in machine.compiler(unit("llama2-7b").plan)] == ["pass"]
    assert machine.compiler(unit("llama2-7b", "training.compile=false").plan) == []
    assert machine.compiler(unit("tiny-cpu").plan) == []

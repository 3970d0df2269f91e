"""gloo starts on the interface that reaches the other ranks, and connects to few of them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from trainwright.runtime.parallel import gloo

# Ranks are forked from one process, which has imported torch. Each says how many descriptors a second group took.
RANKS = """
import os, torch
from torch import distributed
from trainwright.runtime.parallel.gloo import prepare_gloo

counted, told = os.pipe()
all_done, done = os.pipe()

def rank(number):
    os.close(done)
    os.environ["RANK"] = str(number)
    prepare_gloo()
    distributed.init_process_group("gloo")
    before = len(os.listdir("/proc/self/fd"))
    group = distributed.new_group()
    distributed.all_reduce(torch.ones(4), group=group)
    distributed.all_gather_object([None] * distributed.get_world_size(), "x", group=group)
    distributed.barrier(group=group)
    os.write(told, f"{len(os.listdir('/proc/self/fd')) - before}\\n".encode())
    os.read(all_done, 1)  # nobody closes a connection before all are counted
    os._exit(0)

size = int(os.environ["WORLD_SIZE"])
for number in range(size):
    if os.fork() == 0:
        rank(number)
os.close(told)
with open(counted) as lines:
    print(*(next(lines) for _ in range(size)))
"""
SIZE = 16


def test_a_machine_alone_meets_on_its_loopback() -> None:
    """Whatever its name leads to."""
    assert gloo.interface_toward("127.0.1.1", several_nodes=False) == "lo"


def test_on_the_main_node_of_several_the_default_route_counts(monkeypatch) -> None:
    """There MASTER_ADDR may be a loopback address in the hosts file; other nodes could not come there."""
    asked = []

    def own(host: str) -> str:
        asked.append(host)
        return "127.0.0.1" if host == "main" else "10.0.0.7"

    card = [SimpleNamespace(address="10.0.0.7")]
    monkeypatch.setattr(gloo, "_own_address", own)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"lo": [], "eno1": card})
    assert gloo.interface_toward("main", several_nodes=True) == "eno1"
    assert asked == ["main", gloo.ANYWHERE]


def test_a_host_without_a_name_leaves_the_choice_to_gloo() -> None:
    """No address, no interface, no error."""
    assert gloo.interface_toward("no-such-host.invalid", several_nodes=True) is None


def test_what_the_environment_says_stands(monkeypatch) -> None:
    """A spec's socket_interface comes in env.sh."""
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "ib7")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    gloo.prepare_gloo()
    assert os.environ["GLOO_SOCKET_IFNAME"] == "ib7"


def test_the_route_decides_where_the_environment_says_nothing(monkeypatch) -> None:
    """Not what the machine's own name leads to."""
    monkeypatch.delenv("GLOO_SOCKET_IFNAME", raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    gloo.prepare_gloo()
    assert os.environ["GLOO_SOCKET_IFNAME"] == "lo"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors as Linux lists them")
def test_a_rank_connects_to_few_others(port: int) -> None:
    """Descriptors grow with the logarithm of the ranks, as the preflight counts them."""
    everyone = {**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(SIZE)}
    ranks = subprocess.run(
        [sys.executable, "-c", RANKS], env=everyone, capture_output=True, text=True, timeout=240, check=True
    )
    added = [int(line) for line in ranks.stdout.split()]
    assert len(added) == SIZE
    assert max(added) <= gloo.connections(SIZE) < SIZE - 1


@pytest.fixture
def port() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

"""A slow link and a link that is down for a while: the preflight says so, and training ends as on a good one."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

import psutil
import pytest

from trainwright.tests.services.link_lab import ADDRESSES, LINK, Link, ip
from trainwright.tests.services.ssh_lab import HOSTS
from trainwright.tests.services.test_ssh import launch, start
from trainwright.tests.services.tiny import Tiny, listening, write_spec

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
STEPS = 200


def trained(link: Link, project: Path, name: str, cut_at: int | None = None, seconds: float = 0) -> tuple[str, list]:
    """Train in a folder of its own, the link cut at a step; what the launch printed, and the loss of each step."""
    folder = project / name
    folder.mkdir()
    (folder / "corpus").symlink_to(project / "corpus")
    write_spec(folder, launch(*HOSTS), STEPS, LINK)
    process, tiny = start(link.hosts, folder), Tiny(folder)
    if cut_at is not None:
        tiny.wait_for_step(cut_at)
        link.cut(seconds)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output, [(event["step"], event["loss"]) for event in tiny.events("step")]


def test_a_slow_link_is_told_and_a_short_cut_survived(link: Link, project: Path) -> None:
    """10 Mbit/s instead of the claimed 1 Gbit/s is a warning with the rate; 5 s without a link change no loss."""
    _, expected = trained(link, project, "good")
    link.shape("10mbit")
    output, slow = trained(link, project, "slow", cut_at=20, seconds=5)
    assert slow == expected
    assert len(expected) == STEPS
    plain = re.sub(r"\x1b\[[\d;]*m", "", output)  # the hosts' terminals are coloured
    rates = [float(rate) for rate in re.findall(r"warn  all-\S+ across nodes +1 MiB (\S+) GB/s; claimed", plain)]
    assert len(rates) == 2
    assert all(0.0005 < rate < 0.00125 for rate in rates), output


def test_a_host_that_is_lost_is_waited_for(link: Link, project: Path) -> None:
    """All ranks are gone within a minute, also on the host out of reach; when it answers again, the run goes on."""
    write_spec(project, launch(*HOSTS), interface=LINK, every=10)
    process, tiny = start(link.hosts, project), Tiny(project)
    tiny.wait_for_step(20)
    assert len(ranks(project)) == 2
    assert set().union(*listening(project).values()) <= {"127.0.0.1", *ADDRESSES.values()}
    ip("-n", link.namespaces[1], "link", "set", LINK, "down")
    until = time.monotonic() + 60
    while ranks(project) and time.monotonic() < until:
        time.sleep(0.2)
    assert ranks(project) == []
    while f"waiting for {HOSTS[1]}, " not in process.stdout.readline():
        assert process.poll() is None
    ip("-n", link.namespaces[1], "link", "set", LINK, "up")
    tiny.wait_for_step(tiny.steps()[-1] + 20)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 75, output


def ranks(project: Path) -> list[int]:
    """Training processes of a project's run that are alive, on any host."""
    words = [(process.pid, process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    run = str(project / "runs" / "tiny")
    return [pid for pid, line in words if line[-1:] == [run] and line[1:4:2] == ["-u", "trainwright.runtime.train"]]

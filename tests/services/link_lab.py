"""Two hosts in network namespaces of their own, with one link between them that a test can slow down or cut.

A real sshd answers on each. It needs what ssh_lab needs, and iproute2 with the token bucket filter. Delay and loss
would need netem, which small kernels lack.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trainwright.tests.services import ssh_lab
from trainwright.tests.services.ssh_lab import HOSTS, Hosts

LINK = "tw0"  # the interface, on both hosts
ADDRESSES = dict(zip(HOSTS, ("10.77.0.1", "10.77.0.2"), strict=True))


def missing() -> str:
    """Why the lab cannot start here, or nothing."""
    if reason := ssh_lab.missing("ip", "tc", "nsenter"):
        return reason
    name = f"twprobe{os.getpid()}"
    try:
        ip("netns", "add", name)
        ip("-n", name, "link", "add", LINK, "type", "veth")
        tc(name, "10mbit")
    except subprocess.CalledProcessError as error:
        return f"no network namespaces or token bucket filter: {error.stderr.strip()}"
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return ""


def ip(*words: str) -> None:
    """Run ip. Raises CalledProcessError."""
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def tc(namespace: str, rate: str) -> None:
    """Let the link of a namespace send at `rate`. Raises CalledProcessError."""
    shape = ("root", "tbf", "rate", rate, "burst", "64kb", "latency", "400ms")
    words = ["tc", "-n", namespace, "qdisc", "replace", "dev", LINK, *shape]
    subprocess.run(words, check=True, capture_output=True, text=True)


@dataclass(frozen=True)
class Link:
    """The running lab."""

    hosts: Hosts
    namespaces: tuple[str, ...]

    def shape(self, rate: str) -> None:
        """Both directions send at `rate`, for example 10mbit."""
        for namespace in self.namespaces:
            tc(namespace, rate)

    def cut(self, seconds: float) -> None:
        """Nothing passes for so long."""
        ip("-n", self.namespaces[1], "link", "set", LINK, "down")
        time.sleep(seconds)
        ip("-n", self.namespaces[1], "link", "set", LINK, "up")


@contextmanager
def link_lab(folder: Path) -> Iterator[Link]:
    """Make the namespaces and start an sshd in each; all of it ends on leaving."""
    names = tuple(f"tw{os.getpid()}-{number}" for number in range(len(HOSTS)))
    with ExitStack() as lab:
        for name in names:
            ip("netns", "add", name)
            lab.callback(_remove, name)
        ip("link", "add", LINK, "netns", names[0], "type", "veth", "peer", "name", LINK, "netns", names[1])
        ssh_lab.configure(folder, "0.0.0.0", ADDRESSES)  # noqa: S104 - inside the namespaces
        inside = [Hosts(folder, ssh_lab.environment(folder), ("nsenter", f"--net=/run/netns/{name}")) for name in names]
        for name, address, host in zip(names, ADDRESSES.values(), inside, strict=True):
            ip("-n", name, "addr", "add", f"{address}/24", "dev", LINK)
            for device in ("lo", LINK):
                ip("-n", name, "link", "set", device, "up")
            lab.enter_context(ssh_lab.server(host))
        _until_both_answer(inside[0])
        yield Link(inside[0], names)


def _remove(namespace: str) -> None:
    """End what is left in a namespace (sessions whose other end was cut off), then the namespace."""
    words = ["ip", "netns", "pids", namespace]
    for pid in subprocess.run(words, check=True, capture_output=True, text=True).stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    ip("netns", "del", namespace)


def _until_both_answer(lab: Hosts) -> None:
    until = time.monotonic() + 20
    for host in HOSTS:
        words = lab.words("ssh", "-o", "BatchMode=yes", host, "true")
        while subprocess.run(words, env=lab.environment, check=False, capture_output=True).returncode:
            if time.monotonic() > until:
                raise TimeoutError((lab.folder / "sshd.log").read_text())
            time.sleep(0.1)

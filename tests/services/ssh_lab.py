"""A real sshd on this machine that answers for several hosts, and clients whose configuration knows them.

All of it lives in one folder and one mount namespace, where /etc/hosts names the hosts: no key, no known host and no
configuration of the user is read or written. It needs root and Debian's openssh-server (and pdsh, for pdsh).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOSTS = ("twhost1", "twhost2")
STRANGER = "twstranger"  # answers, but with a host key that nobody has seen
DEAD = "twdead"  # nobody listens
NEEDED = ("sshd", "ssh", "ssh-keygen", "unshare")

SERVER = """
ListenAddress {listen}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
"""
CLIENT = """
Host *
  IdentityFile {folder}/user_key
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
"""


def missing(*more: str) -> str:
    """Why the lab cannot start here, or nothing."""
    absent = [name for name in (*NEEDED, *more) if shutil.which(name, path=_path()) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (apt-get install openssh-server pdsh)"
    return "" if os.geteuid() == 0 else "needs root"


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin"


@dataclass(frozen=True)
class Hosts:
    """The running lab."""

    folder: Path
    environment: dict[str, str]
    network: tuple[str, ...] = ()  # the words that bring a command into the first host's network

    def words(self, *command: str) -> list[str]:
        """A command inside the lab's namespace."""
        mount = f'mount --bind "{self.folder}/hosts" /etc/hosts && exec "$@"'
        return [*self.network, "unshare", "--mount", "sh", "-c", mount, "sh", *command]


@contextmanager
def ssh_lab(folder: Path) -> Iterator[Hosts]:
    """Start sshd in `folder`; it and its sessions end on leaving."""
    lab = Hosts(folder, environment(folder))
    port = configure(folder, "127.0.0.1", dict.fromkeys((*HOSTS, STRANGER, DEAD), "127.0.0.1"))
    with server(lab):
        _until_answers(port, folder)
        yield lab


def environment(folder: Path) -> dict[str, str]:
    """What a user of the lab has: its ssh, which reads no configuration of the user's."""
    return {**os.environ, "PATH": f"{folder}/bin:{_path()}"}


@contextmanager
def server(lab: Hosts) -> Iterator[None]:
    """A running sshd."""
    Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists on its own empty folder
    words = lab.words(str(shutil.which("sshd", path=_path())), "-D", "-e", "-f", f"{lab.folder}/sshd_config")
    with (lab.folder / "sshd.log").open("ab") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def configure(folder: Path, listen: str, addresses: dict[str, str]) -> int:
    """Write keys, configurations and the hosts' names; the port of sshd."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("host_key", "user_key"):
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(words, check=True, timeout=60)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "sshd_config").write_text(SERVER.format(folder=folder, listen=listen, port=port))
    ports = {host: 1 if host == DEAD else port for host in addresses}
    blocks = [
        f"Host {host}\n  HostName {address}\n  HostKeyAlias {host}\n  Port {ports[host]}\n"
        for host, address in addresses.items()
    ]
    (folder / "ssh_config").write_text("".join([*blocks, CLIENT.format(folder=folder)]))
    key = (folder / "host_key.pub").read_text().split()
    (folder / "known_hosts").write_text("".join(f"{host} {key[0]} {key[1]}\n" for host in HOSTS))
    lines = "".join(f"{address} {host}\n" for host, address in addresses.items())
    (folder / "hosts").write_text(Path("/etc/hosts").read_text() + lines)
    wrapper = folder / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F "{folder}/ssh_config" "$@"\n')
    wrapper.chmod(0o755)
    return port


def _until_answers(port: int, folder: Path) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise TimeoutError((folder / "sshd.log").read_text()) from None
            time.sleep(0.05)
        else:
            return

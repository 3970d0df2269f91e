"""What gloo needs to know before it starts: which interface reaches the other ranks, and to connect to few of them.

gloo listens where the machine's own name leads to, which a line `127.0.1.1 NAME` in /etc/hosts (Debian's) makes the
loopback: two nodes then never meet. The interface of the route to MASTER_ADDR is right with any hosts file.
"""

from __future__ import annotations

import os
import resource
import socket
from ipaddress import ip_address
from math import ceil, log2

import psutil

ANYWHERE = "192.0.2.1"  # kept free for documentation (RFC 5737): its route is the default one, and nothing is sent
MOST_FILES = 2**16  # more serves nothing, and programs that walk over all possible files would take long
GROUP_FILES = 3  # of a gloo group that has connected to nobody: where it listens, and what wakes its thread
DISCARD = 9  # a port, which a datagram socket must name to learn its route


def prepare_gloo() -> None:
    """Set what the environment does not say yet."""
    # Each rank connects to those that it has something to say to, few as collectives are rings and trees; else all to
    # all, with a descriptor for each: 1,024 on the thousandth rank.
    os.environ.setdefault("TORCH_GLOO_LAZY_INIT", "1")
    if "GLOO_SOCKET_IFNAME" not in os.environ:
        nodes = int(os.environ["WORLD_SIZE"]) > int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
        found = interface_toward(os.environ["MASTER_ADDR"], several_nodes=nodes)
        if found is not None:
            os.environ["GLOO_SOCKET_IFNAME"] = found


def allow_open_files() -> None:
    """Raise the soft limit of open files, 1,024 on most machines, to what this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def interface_toward(host: str, *, several_nodes: bool) -> str | None:
    """The interface of the route to `host`; on `host` itself, where other nodes come in, that of the default route.

    None where the machine cannot say: gloo then looks for itself.
    """
    own = _own_address(host)
    if several_nodes and own is not None and ip_address(own).is_loopback:
        own = _own_address(ANYWHERE)
    addresses = psutil.net_if_addrs().items()
    return next((name for name, known in addresses if any(entry.address == own for entry in known)), None)


def connections(ranks: int) -> int:
    """Descriptors that one group takes on a rank: its own, two neighbours of rings, and two for each level of trees."""
    return GROUP_FILES + 2 + 2 * ceil(log2(ranks)) if ranks > 1 else 0


def _own_address(host: str) -> str | None:
    """The address that this machine would use to talk to `host`."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, DISCARD, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(place)
            return probe.getsockname()[0]
    except OSError:
        return None

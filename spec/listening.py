"""Where a run listens: at the one address that its own nodes call, and for a run on one machine at loopback alone."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator

LISTENER = "TRAINWRIGHT_LISTENER"  # the descriptor of the socket that the first rank listens on
BACKLOG = 1024  # connections that wait: each rank of a large run comes at the same moment


def listening_socket(name: str, port: int) -> socket.socket:
    """A socket that listens at `port` (0: any free one) of the address that other nodes know as `name`.

    Raises OSError, EADDRINUSE when another program has the port.
    """
    for address in _addresses(name):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            return socket.create_server((address, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise
    # The name is that of a relay, or /etc/hosts has it as 127.0.1.1: others reach us at an address that we cannot know.
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    return socket.create_server(("", port), family=family, backlog=BACKLOG, dualstack_ipv6=both)


def _addresses(name: str) -> Iterator[str]:
    """The addresses of `name` to try; loopback only where it was asked for by that name."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    asked = name == "localhost" or name in found
    for address in sorted(found, key=lambda address: ":" in address):
        if asked or not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            yield address

"""A barrier over plain TCP: the first node receives the others, and tells all of them what came of it.

The first node greets with the run, so that a port that another program has, and answers at, is not taken for ours.
"""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

from ...spec.exit_codes import Exit

LONGEST_LINE = 4096  # bytes
ANSWER = 5.0  # seconds for one connection to say what it has to say
PAUSE = 0.5  # seconds between attempts


class Timeouts(NamedTuple):
    """Seconds until an earlier start has given the port back, and until the last node is there."""

    port_seconds: float = 30.0
    nodes_seconds: float = 300.0  # images are pulled, file systems are slow


class NodeReport(NamedTuple):
    """A node that takes part in a run, and what keeps it from training (nothing: empty)."""

    run: str
    rank: int
    host: str
    problem: str


class Verdict(NamedTuple):
    """What all nodes do: go on (0), or leave with this code, and why."""

    code: int
    text: str


class PortTakenError(OSError):
    """Another program has the port."""


def serve(own: NodeReport, port: int, nodes: int, timeouts: Timeouts) -> Verdict:
    """Wait for the other nodes and tell each the verdict. Raises PortTakenError."""
    with _listening(port, timeouts.port_seconds) as server, ExitStack() as connections:
        until, here, lines = time.monotonic() + timeouts.nodes_seconds, {0: own}, list[socket.socket]()
        while len(here) < nodes and (left := until - time.monotonic()) > 0:
            server.settimeout(left)
            with contextlib.suppress(OSError, ValueError, TypeError):  # whoever came, it was none of ours
                connection = connections.enter_context(server.accept()[0])
                guest = _greeted(connection, own.run)
                here[guest.rank] = guest
                lines.append(connection)
        verdict = decide(here, nodes, timeouts.nodes_seconds)
        for connection in lines:
            with contextlib.suppress(OSError):
                connection.sendall(_line(verdict))
                connection.recv(1)  # its end: who closes first keeps the port in TIME_WAIT
    return verdict


def decide(here: Mapping[int, NodeReport], nodes: int, seconds: float) -> Verdict:
    """Whether all are here, and each can train."""
    unfit = [f"node {guest.rank} ({guest.host}) has {guest.problem}" for guest in here.values() if guest.problem]
    if unfit:
        more = f" (and {len(unfit) - 1} more)" if len(unfit) > 1 else ""
        return Verdict(Exit.INPUT, f"{unfit[0]}{more}")
    absent = [str(rank) for rank in range(nodes) if rank not in here]
    if absent:
        return Verdict(Exit.PEER_LOST, f"not reached by node {', '.join(absent)} in {seconds:g} s")
    return Verdict(Exit.DONE, "free" if nodes == 1 else f"free, {nodes} nodes met there")


def report_to_first_node(own: NodeReport, place: tuple[str, int], timeouts: Timeouts) -> Verdict:
    """Go to the first node, trying until it is there. Raises PortTakenError, or OSError with the last reason."""
    started = time.monotonic()
    while True:
        try:
            with socket.create_connection(place, timeout=ANSWER) as connection:
                return _verdict(connection, own, timeouts.nodes_seconds)
        except OSError as error:
            limit = timeouts.port_seconds if isinstance(error, PortTakenError) else timeouts.nodes_seconds
            if time.monotonic() - started > limit:
                raise
        time.sleep(PAUSE)


def _listening(port: int, timeout: float) -> socket.socket:
    """A socket that listens on all interfaces, as the ranks will. Raises PortTakenError after `timeout` seconds."""
    until, both = time.monotonic() + timeout, socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    while True:
        try:
            return socket.create_server(("", port), family=family, backlog=1024, dualstack_ipv6=both)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            if time.monotonic() > until:
                raise PortTakenError("another program has it") from error
        time.sleep(PAUSE)


def _greeted(connection: socket.socket, run: str) -> NodeReport:
    """Greet whoever came. Raises OSError, ValueError or TypeError when it is no node of ours."""
    connection.settimeout(ANSWER)
    connection.sendall(_line(run))
    return NodeReport(*json.loads(connection.makefile("rb").readline(LONGEST_LINE)))


def _verdict(connection: socket.socket, own: NodeReport, timeout: float) -> Verdict:
    """What the first node says in the end. Raises PortTakenError when it is not ours, OSError when it leaves before."""
    said = b""
    lines = connection.makefile("rb")
    with contextlib.suppress(TimeoutError):
        said = lines.readline(LONGEST_LINE)
    if said != _line(own.run):
        raise PortTakenError("another program answers")
    connection.sendall(_line(own))
    connection.settimeout(timeout)
    try:
        return Verdict(*json.loads(lines.readline(LONGEST_LINE)))
    except (ValueError, TypeError) as error:
        raise ConnectionError("the first node left") from error


def _line(value: NodeReport | Verdict | str) -> bytes:
    return json.dumps(value).encode() + b"\n"

"""A barrier over plain TCP: the first node receives the others, and sends all of them the result.

Each side proves that it holds the run's token, by a code over a number that the other has just chosen. So a port that
another program has is not taken for ours, a stranger takes no node's place, and what he sends is not looked at. Lines
are short, read within limits of size and time, and hold plain values; a stranger who says nothing keeps nobody waiting,
since each connection has a thread of its own.

    first node -> other    [number, proof of number]
    other -> first node    [rank, host, trouble, number, proof of all that and of the first number]
    first node -> other    [code, text, proof of both and of the other's number]
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any, NamedTuple

from ...spec.exit_codes import Exit
from ...spec.foreign_files import parse_json
from ...spec.listening import listening_socket

LONGEST_LINE = 4096  # bytes
ANSWER = 5.0  # seconds for one connection to say what it has to say
PAUSE = 0.5  # seconds between attempts
LOOK = 0.1  # seconds between looks at who has been greeted
GREETED_AT_ONCE = 256  # connections, whoever they are


class Timeouts(NamedTuple):
    """Seconds until an earlier start has given the port back, and until the last node is there."""

    port_seconds: float = 30.0
    nodes_seconds: float = 300.0  # images are pulled, file systems are slow


class NodeReport(NamedTuple):
    """A node that takes part in a run, and what keeps it from training (nothing: empty)."""

    token: str  # the run's
    rank: int
    host: str
    problem: str


class Verdict(NamedTuple):
    """What all nodes do: start (0), or exit with this code, and why."""

    code: int
    text: str


class PortTakenError(OSError):
    """Another program has the port."""


class StrangerError(ValueError):
    """Whoever answers is not a node of this run."""


def serve(own: NodeReport, place: tuple[str, int], nodes: int, timeouts: Timeouts) -> Verdict:
    """Wait for the other nodes and send each the result. Raises PortTakenError."""
    with _listening(place, timeouts.port_seconds) as server, ExitStack() as connections:
        here, lines = {0: own}, list[tuple[socket.socket, str]]()
        for connection, report, number in _node_reports(
            server, own.token, nodes, time.monotonic() + timeouts.nodes_seconds
        ):
            here[report.rank] = report
            lines.append((connections.enter_context(connection), number))
            if len(here) == nodes:
                break
        verdict = decide(here, nodes, timeouts.nodes_seconds)
        for connection, number in lines:
            with contextlib.suppress(OSError):
                connection.sendall(_line(*verdict, _proof(own.token, number, *verdict)))
                connection.recv(1)  # its end: who closes first keeps the port in TIME_WAIT
    return verdict


def decide(here: Mapping[int, NodeReport], nodes: int, seconds: float) -> Verdict:
    """Whether all are here, and each can train."""
    unfit = [f"node {report.rank} ({report.host}) has {report.problem}" for report in here.values() if report.problem]
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


def _listening(place: tuple[str, int], timeout: float) -> socket.socket:
    """A socket that listens where the ranks' own will. Raises PortTakenError after `timeout` seconds."""
    until = time.monotonic() + timeout
    while True:
        try:
            return listening_socket(*place)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            if time.monotonic() > until:
                raise PortTakenError("another program has it") from error
        time.sleep(PAUSE)


def _node_reports(
    server: socket.socket, token: str, nodes: int, until: float
) -> Iterator[tuple[socket.socket, NodeReport, str]]:
    """Nodes that come until a time: their connections, what they say, and the numbers that they want proven."""
    greeted = SimpleQueue[tuple[socket.socket, NodeReport, str]]()
    room = threading.BoundedSemaphore(GREETED_AT_ONCE)

    def greet(connection: socket.socket) -> None:
        try:
            greeted.put((connection, *_greeted(connection, token, nodes)))
        except (OSError, ValueError):
            connection.close()  # whoever came, it was no node of this run
        finally:
            room.release()

    server.settimeout(LOOK)
    while nodes > 1 and time.monotonic() < until:
        if room.acquire(timeout=LOOK):
            try:
                threading.Thread(target=greet, args=(server.accept()[0],), daemon=True).start()
            except OSError:  # nobody came, or left again
                room.release()
        while not greeted.empty():
            yield greeted.get()


def _greeted(connection: socket.socket, token: str, nodes: int) -> tuple[NodeReport, str]:
    """Greet whoever came: the node, and the number it wants proven. Raises OSError or StrangerError."""
    number = secrets.token_hex(16)
    connection.settimeout(ANSWER)
    connection.sendall(_line(number, _proof(token, number)))
    match _words(_read_line(connection, ANSWER)):
        case [int(rank), str(host), str(trouble), str(theirs), str(proof)] if 0 < rank < nodes:
            _check(proof, token, number, rank, host, trouble, theirs)
            return NodeReport(token, rank, host, trouble), theirs
        case _:
            raise StrangerError


def _read_line(connection: socket.socket, seconds: float) -> bytes:
    """A line that comes within so many seconds, however it drips. Raises TimeoutError, OSError or StrangerError."""
    until, said = time.monotonic() + seconds, b""
    while not said.endswith(b"\n"):
        connection.settimeout(max(until - time.monotonic(), 0.001))
        more = connection.recv(LONGEST_LINE)
        said += more
        if not more or len(said) > LONGEST_LINE:
            raise StrangerError
    return said


def _verdict(connection: socket.socket, own: NodeReport, timeout: float) -> Verdict:
    """What the first node says in the end. Raises PortTakenError when it is not ours, OSError when it leaves before."""
    mine = secrets.token_hex(16)
    try:
        number, proof = _words(_read_line(connection, ANSWER))
        _check(proof, own.token, number)
    except (TimeoutError, ValueError) as error:
        raise PortTakenError("another program answers") from error
    sent = own.rank, own.host, own.problem, mine
    connection.sendall(_line(*sent, _proof(own.token, number, *sent)))
    try:
        code, text, proof = _words(_read_line(connection, timeout))
        _check(proof, own.token, mine, code, text)
        return Verdict(Exit(code), str(text))
    except ValueError as error:
        raise ConnectionError("the first node left") from error


def _line(*words: str | int) -> bytes:
    return json.dumps(words).encode() + b"\n"


def _words(line: bytes) -> list[Any]:
    """The words of a line. Raises ValueError when it is none."""
    words = parse_json(line)
    if not isinstance(words, list):
        raise StrangerError
    return words


def _proof(token: str, *words: str | int) -> str:
    return hmac.digest(token.encode(), _line(*words), "sha256").hex()


def _check(proof: Any, token: str, *words: Any) -> None:
    """Raise StrangerError unless `proof` shows that whoever sent `words` holds the token."""
    if not isinstance(proof, str) or not hmac.compare_digest(proof.encode(), _proof(token, *words).encode()):
        raise StrangerError

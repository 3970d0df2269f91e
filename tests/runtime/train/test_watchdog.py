"""The watchdog of a rank: a peer, or the way to the ranks' store, that falls silent ends the rank and is named."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from torch._C._distributed_c10d import TCPStore

from trainwright.runtime.train import watchdog
from trainwright.spec.exit_codes import Exit


class Relay:
    """A way to a port, which can be cut as a dead link is: nothing passes and nobody is told."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut = threading.Event()
        self._target = port
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source:
            while data := source.recv(4096):
                if not self.cut.is_set():
                    target.sendall(data)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


@pytest.fixture
def relay(monkeypatch) -> Iterator[Relay]:
    """The way to a store of two ranks, and patience in tenths of a second."""
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    made = Relay(store.port)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(made.port))
    monkeypatch.setattr(watchdog, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(watchdog, "HEARTBEAT_TIMEOUT", 2.0)
    yield made
    made.close()


@pytest.fixture
def ends(monkeypatch) -> list[int]:
    """The exit codes that the process would have ended with; the thread that says one does nothing more."""
    found: list[int] = []

    def leave(code: int) -> None:
        found.append(code)
        threading.Event().wait()

    monkeypatch.setattr("os._exit", leave)
    return found


def wait_for(said: list[str]) -> None:
    """Until something was said."""
    until = time.monotonic() + 30
    while not said:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_link_that_is_dead_ends_the_rank(relay, ends) -> None:
    """No answer comes from the first node, and no error either: the rank does not wait for TCP to give up."""
    said: list[str] = []
    watched = watchdog.Watchdog(1, 2, said.append)
    time.sleep(0.2)  # some beats
    relay.cut.set()
    wait_for(said)
    watched.stop()
    assert said == ["the rendezvous on the first node has not answered for 2 s"]
    assert ends == [Exit.PEER_LOST]


def test_a_peer_that_falls_silent_ends_the_rank(relay, ends) -> None:
    """The next rank has not beaten for a while: it is named with its node."""
    said: list[str] = []
    watched = watchdog.Watchdog(0, 2, said.append)
    wait_for(said)
    watched.stop()
    assert said == ["rank 1 on node 1 has not answered for 2 s"]
    assert ends == [Exit.PEER_LOST]


def test_ranks_that_say_goodbye_are_not_missed(relay, ends) -> None:
    """A rank that has stopped its watchdog has left; the other does not lose it."""
    said: list[str] = []
    first, second = (watchdog.Watchdog(rank, 2, said.append) for rank in range(2))
    time.sleep(0.2)
    second.stop()
    time.sleep(2.5)
    first.stop()
    assert (said, ends) == ([], [])

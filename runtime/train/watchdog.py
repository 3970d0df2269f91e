"""Finds a rank that hangs or is gone: each watches its successor's heartbeat, so a thousand ranks cost what two do.

A stopped process, one that holds the interpreter's lock for ever, a lost machine: all stop the beat of their own
thread, while their peers wait in a collective that nobody will end. The watcher names the rank and exits; each node's
launcher takes its own ranks down. All of it within a minute. What a peer writes is compared, never acted on.

The ranks' store has no timeout of its own for an answer: where the link to the first node is dead, a question waits for
a quarter of an hour. So a second thread looks at the first.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from torch._C._distributed_c10d import TCPStore

from ...spec.exit_codes import Exit
from ...spec.run_token import TOKEN

HEARTBEAT_INTERVAL = 2.0  # seconds between heartbeats
HEARTBEAT_TIMEOUT = 20.0  # seconds without one; more than the longest pause of a busy interpreter
GONE = "gone"
LONGEST = 64  # characters of a beat that are looked at


class Watchdog:
    """A thread that beats for this rank and listens for the next."""

    def __init__(self, rank: int, size: int, on_lost: Callable[[str], None]) -> None:
        self._rank, self._next = rank, (rank + 1) % size
        self._on_lost = on_lost
        self._stopped = threading.Event()
        self._store = TCPStore(
            os.environ["MASTER_ADDR"],
            int(os.environ["MASTER_PORT"]),
            is_master=False,
            timeout=timedelta(seconds=HEARTBEAT_TIMEOUT),
        )
        self._prefix = f"trainwright/{os.environ.get(TOKEN, '')}"
        self._answered = time.monotonic()  # when the store last did
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()
        threading.Thread(target=self._watch_store, name="watchdog of the store", daemon=True).start()

    def stop(self) -> None:
        """Say goodbye, so that nobody misses this rank."""
        self._stopped.set()
        self._thread.join(HEARTBEAT_TIMEOUT)

    def _key(self, kind: str, rank: int) -> str:
        return f"{self._prefix}/{kind}/{rank}"

    def _watch(self) -> None:
        beat, heard, at = 0, "", time.monotonic()
        try:
            while not self._stopped.wait(HEARTBEAT_INTERVAL):
                beat += 1
                self._store.set(self._key("beat", self._rank), str(beat))
                now = self._listen()
                self._answered = time.monotonic()
                if now != heard:
                    heard, at = now, time.monotonic()
                elif heard != GONE and time.monotonic() - at > HEARTBEAT_TIMEOUT:
                    self._lose_next()
            self._store.set(self._key("beat", self._rank), GONE)
        except Exception as error:  # noqa: BLE001 - whatever the store says, the rendezvous is lost
            if not self._stopped.is_set():
                self._lose(f"the rendezvous on the first node is gone: {error}")

    def _watch_store(self) -> None:
        while not self._stopped.wait(HEARTBEAT_INTERVAL):
            if time.monotonic() - self._answered > HEARTBEAT_TIMEOUT:
                self._lose(f"the rendezvous on the first node has not answered for {HEARTBEAT_TIMEOUT:.0f} s")

    def _listen(self) -> str:
        key = self._key("beat", self._next)
        return self._store.get(key).decode(errors="replace")[:LONGEST] if self._store.check([key]) else ""

    def _lose_next(self) -> None:
        node = self._next // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        self._lose(f"rank {self._next} on node {node} has not answered for {HEARTBEAT_TIMEOUT:.0f} s")

    def _lose(self, what: str) -> None:
        self._on_lost(what)
        os._exit(Exit.PEER_LOST)

"""This node: how many devices of the run it has, and calls into drivers that may never come back."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

from ...spec.facts import figures
from ...spec.plan import Plan

DRIVER_TIMEOUT: float = figures("metering")["driver_timeout"]  # seconds until an instrument counts as absent

Answer = TypeVar("Answer")


def devices_here(plan: Plan) -> int:
    """Devices of the run on this node: the launcher's local world size, else what the plan says of a full node."""
    local = os.environ.get("LOCAL_WORLD_SIZE")
    return int(local) if local else min(plan.device.per_node, plan.device.count)


def call_with_timeout(call: Callable[[], Answer], failure: type[Exception]) -> Answer | None:
    """What `call` returns; None when it raises `failure` or takes longer than PATIENCE (then it is left behind)."""
    answers: SimpleQueue[Answer | Exception] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(call())
        except Exception as error:  # noqa: BLE001 - raised again in the caller's thread
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=DRIVER_TIMEOUT)
    except Empty:
        return None
    if isinstance(answer, failure):
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer

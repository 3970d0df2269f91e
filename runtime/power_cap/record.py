"""What is known of a node's power cap, kept in the run folder: power-cap/HOST.json, one file a node."""

from __future__ import annotations

import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname

from pydantic import BaseModel, ConfigDict, ValidationError

from ...spec.atomic_files import write_atomically


class GpuLimit(BaseModel):
    """The power limit of one GPU, in watts; null is unknown, or for `before_watts` not touched."""

    model_config = ConfigDict(frozen=True)

    uuid: str
    before_watts: float | None = None
    enforced_watts: float | None = None
    problem: str | None = None


class NodePowerCap(BaseModel):
    """The cap of a node. `held`: the limits are ours and must be restored when the process `owner` ends."""

    model_config = ConfigDict(frozen=True)

    host: str
    mode: str
    power_cap_watts: float | None
    applied: bool | None = None
    held: bool = False
    owner: str = ""
    gpus: tuple[GpuLimit, ...] = ()


def load(run: Path) -> NodePowerCap | None:
    """This node's record; None when there is none that can be read."""
    try:
        return NodePowerCap.model_validate_json(_path(run).read_bytes())
    except (OSError, ValidationError):
        return None


def save(run: Path, record: NodePowerCap) -> None:
    """Write this node's record durably. Raises OSError."""
    write_atomically(_path(run), record.model_dump_json(indent=2).encode() + b"\n")


@contextmanager
def locked(run: Path) -> Generator[None]:
    """One change at a time: the guard of an old start must not undo the cap of a new one. Raises OSError."""
    lock = _path(run).with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _path(run: Path) -> Path:
    return run / "power-cap" / f"{gethostname()}.json"

"""Checkpoints of a session: begun between two steps, published when every rank has written its files.

By default both happen in one go. Asynchronous, the files are written while training continues, and the step's own
all-reduce shows when the last rank has done so. A kill in between costs that draft; the generation before it stands.
"""

from __future__ import annotations

import time

from ...spec.events import CheckpointEvent
from ..checkpoint import save_restore
from .session import Session
from .setup import checkpoint_content


def start(session: Session) -> None:
    """Begin to write the state of this moment. Raises Ended(STORAGE) when a disk refuses."""
    session.charge_energy("train")
    began, session.state.rewinds = time.monotonic(), 0
    session.draft = save_restore.start(
        session.engine, session.world, session.run.checkpoints, checkpoint_content(session)
    )
    session.charge_energy("checkpoint")
    session.flush_phases()
    session.last_checkpoint = time.monotonic()
    session.stall_seconds = session.last_checkpoint - began


def is_written(session: Session) -> bool:
    """Whether this rank has written all of a draft that waits to be published."""
    return session.draft is not None and session.engine.checkpoint_engine.all_written


def commit(session: Session) -> None:
    """Make the draft, if there is one, the newest checkpoint; waits for its files. Raises Ended(STORAGE)."""
    if session.draft is None:
        return
    session.charge_energy("train")
    began, draft, session.draft = time.monotonic(), session.draft, None
    keep = session.plan.training.checkpoint
    saved = save_restore.commit(session.engine, session.world, draft, keep)
    session.charge_energy("checkpoint")
    seconds = session.stall_seconds + time.monotonic() - began
    path = str(saved.path.relative_to(session.run.path))
    session.log_event(CheckpointEvent(step=saved.step, path=path, seconds=seconds, bytes=saved.bytes))
    session.flush_phases()

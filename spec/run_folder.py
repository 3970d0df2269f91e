"""The run folder: the contract between the processes that write it and everything that reads. Its events: events.py.

A run folder holds

    bundle/                            the bundle that it uses: restarts, requeues and queued jobs read this copy
    plan.json estimate.json MANIFEST   of that bundle; those that the first start ran with are in attempts/1/, for good
    initial/                           the weights of `model.init_from`, with their digest
    inherited.json                     of a branch: the run and the checkpoint that it began with, tokens and energy
    tokenizer/tokenizer.model          SentencePiece, or a tokenizer.json; made-from.json says what decided it
    data                               link to a dataset of the store: shards, index.json with their SHA-256
    checkpoints/step-00000100/         one folder a generation, with its own manifest; `latest` names the newest
    checkpoints/damaged-step-*/        a generation that did not pass its hashes, set aside by a resume
    events.jsonl                       append-only, one JSON object a line
    logs/ tensorboard/ report/         what their names say
    lock ranks.lock                    held by the launcher and by each rank while the run is under way
    token                              proves to nodes and ranks that a peer belongs to the run
    exit_code restarts.json            how the last start ended, and how many starts came no further
    profile/step-00000100/             traces of the steps up to that one; profile/request.json asks for some
    profile/out-of-memory-rank-0.json  what the memory of its device held when it ran out
    stop                               created by whoever wants the run to checkpoint and exit

A launch writes here only after its gate (runtime/launch/admit.py) has compared settings, tokenizer and shards with what
the newest checkpoint says; one that is refused has changed nothing. In a checkpoint, state.json holds the settings, the
position (steps, and samples trained on) and the SHA-256 of tokenizer and shards.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

CHECKPOINT_STATE = "state.json"  # of a generation
_NAME = re.compile(r"^step-(\d{8,})$")


def checkpoint_name(step: int) -> str:
    """The folder name of the checkpoint after `step` optimizer steps."""
    return f"step-{step:08d}"


def step_of(generation: Path) -> int:
    """The step in a generation's folder name."""
    match = _NAME.match(generation.name)
    if match is None:
        raise ValueError(f"{generation} is not the folder of a checkpoint")
    return int(match.group(1))


def list_checkpoints(root: Path) -> list[Path]:
    """The published generations under `root`, newest first."""
    if not root.is_dir():
        return []
    return sorted((p for p in root.iterdir() if _NAME.match(p.name) and p.is_dir()), key=step_of, reverse=True)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where things are in a run folder."""

    path: Path

    @property
    def plan(self) -> Path:
        """Copy of the bundle's plan."""
        return self.path / "plan.json"

    @property
    def estimate(self) -> Path:
        """Copy of the bundle's estimate."""
        return self.path / "estimate.json"

    @property
    def bundle(self) -> Path:
        """The bundle that the run uses; restarts and queued jobs read this one."""
        return self.path / "bundle"

    def attempt(self, number: int) -> Path:
        """What an attempt keeps of the bundle that it ran with: plan, estimate, spec and manifest."""
        return self.path / "attempts" / str(number)

    @property
    def events(self) -> Path:
        """The event log."""
        return self.path / "events.jsonl"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer that the run has: tokenizer.json where it was given one."""
        return self.tokenizer_json if self.tokenizer_json.is_file() else self.tokenizer_model

    @property
    def tokenizer_model(self) -> Path:
        """The SentencePiece model."""
        return self.path / "tokenizer" / "tokenizer.model"

    @property
    def tokenizer_json(self) -> Path:
        """The tokenizer.json of Hugging Face's tokenizers, with its tokenizer_config.json beside it."""
        return self.path / "tokenizer" / "tokenizer.json"

    @property
    def data(self) -> Path:
        """Tokenized shards: a link to a dataset."""
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        """Checkpoint generations."""
        return self.path / "checkpoints"

    def checkpoint(self, step: int) -> Path:
        """The generation of `step`."""
        return self.checkpoints / checkpoint_name(step)

    @property
    def inherited(self) -> Path:
        """What a branch has of the run that it extends."""
        return self.path / "inherited.json"

    @property
    def lock(self) -> Path:
        """Held by the launcher of the run."""
        return self.path / "lock"

    @property
    def ranks_lock(self) -> Path:
        """Held by each rank of the run."""
        return self.path / "ranks.lock"

    @property
    def profile_request(self) -> Path:
        """Its existence asks the run for a profile."""
        return self.path / "profile" / "request.json"

    def profile(self, step: int) -> Path:
        """The traces of a profile that ended with `step`."""
        return self.path / "profile" / checkpoint_name(step)

    def memory_snapshot(self, rank: int) -> Path:
        """What the memory of a rank's device held when it ran out."""
        return self.path / "profile" / f"out-of-memory-rank-{rank}.json"

    @property
    def stop(self) -> Path:
        """Its existence asks the run to checkpoint and exit."""
        return self.path / "stop"

    def ask_to_stop(self) -> None:
        """Create the stop file, not what a link in its place points to. Raises OSError."""
        if self.stop.is_symlink():
            self.stop.unlink(missing_ok=True)
        os.close(os.open(self.stop, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644))

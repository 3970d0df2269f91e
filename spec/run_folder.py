"""The run folder and its event log: the contract between the training loop that writes and everything that reads.

A run folder holds

    bundle/                            the bundle that it uses: restarts, requeues and queued jobs read this copy
    plan.json estimate.json MANIFEST   of that bundle; those that the first start ran with are in attempts/1/, for good
    initial/                           the weights of `model.init_from`, with their digest
    tokenizer/tokenizer.model          SentencePiece, or a tokenizer.json; made-from.json says what decided it
    data/                              memory-mapped shards, index.json with their SHA-256: the data of the run
    checkpoints/step-00000100/         one folder a generation, with its own manifest; `latest` names the newest
    checkpoints/damaged-step-*/        a generation that did not pass its hashes, set aside by a resume
    events.jsonl                       append-only, one JSON object a line
    logs/ tensorboard/ report/         what their names say
    lock ranks.lock                    held by the launcher and by each rank while the run is under way
    token                              proves to nodes and ranks that a peer belongs to the run
    exit_code restarts.json            how the last start ended, and how many starts came no further
    stop                               created by whoever wants the run to checkpoint and exit

A launch writes here only after its gate (runtime/launch/admit.py) has compared settings, tokenizer and shards with what
the newest checkpoint says; one that is refused has changed nothing. In a checkpoint, state.json holds the settings, the
position (steps, and samples trained on) and the SHA-256 of tokenizer and shards.

Every event has `kind`, `time` (Unix seconds), `attempt` (1 for the first start). Cumulative numbers (`tokens`,
`energy_kwh`) continue over restarts. A number that is not known is null, never zero. Kinds and their further fields:

    start       step (where it begins), last_step (where it will end), world_size,
                meter ("nvml" | "rapl" | "assumed" | null), measured (bool),
                power_cap {power_cap_watts, enforced_watts, applied (true | false | null)}, versions {package: version},
                unigram_entropy (nats; the held-out loss that token frequencies alone would reach)
    data        sources [{path, documents, tokens, held_out_tokens, share (of the samples), epochs (planned), skipped,
                duplicates}]
    phase       name (tokenizer | data | train | validate | checkpoint | startup), seconds, energy_kwh (of this span),
                measured
    step        step, tokens, loss, grad_norm, learning_rate, seconds, tokens_per_second, mfu, energy_kwh, power_watts,
                memory_bytes
    validation  step, tokens, loss, seconds
    checkpoint  step, path, seconds, bytes
    gap         device (or "all"), start, end, reason (seconds that no meter covers)
    fault       step, rank, what, action
    stop        step, reason (done | signal | stop-file | budget | diverged | ...), exit_code, energy_kwh
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .foreign_files import foreign_lines, open_foreign, parse_json

Event = dict[str, Any]

# Numbers that an event of a kind cannot be without, and fields that are numbers wherever they occur.
_NEEDED = {"step": ("step",), "phase": ("seconds",), "gap": ("start", "end")}
_NUMERIC = {
    "time", "attempt", "step", "last_step", "world_size", "tokens", "loss", "grad_norm", "learning_rate", "seconds",
    "tokens_per_second", "mfu", "energy_kwh", "power_watts", "memory_bytes", "unigram_entropy", "bytes", "start", "end",
    "exit_code", "rank",
}  # fmt: skip
PREPARATION_FAILED = "preparation failed"  # how the fault of a start that never trained begins
NUMBERS = frozenset({int, float})  # bool is neither
LARGEST = 1e300  # beyond it arithmetic overflows; no quantity of a run comes near


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
        """What an attempt keeps of the bundle that it ran with: plan, estimate and manifest."""
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
        """Tokenized shards."""
        return self.path / "data"

    @property
    def checkpoints(self) -> Path:
        """Checkpoint generations."""
        return self.path / "checkpoints"

    @property
    def lock(self) -> Path:
        """Held by the launcher of the run."""
        return self.path / "lock"

    @property
    def ranks_lock(self) -> Path:
        """Held by each rank of the run."""
        return self.path / "ranks.lock"

    @property
    def stop(self) -> Path:
        """Its existence asks the run to checkpoint and exit."""
        return self.path / "stop"


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a log, leaving out lines that are torn or not events. Raises OSError when there is no log."""
    with open_foreign(path) as log:
        for line in foreign_lines(log):
            event = parse_event(line)
            if event is not None:
                yield event


def parse_event(line: bytes) -> Event | None:
    """The event in a line of a log; None when the line is torn, not an event, or lacks what its kind cannot be without.

    A field that should be a number and is something else is unknown (null), so that no reader has to look again.
    """
    try:
        event = parse_json(line)
    except ValueError:
        return None
    if not isinstance(event, dict) or not isinstance(kind := event.get("kind"), str):
        return None
    if any(number(event, name) is None for name in _NEEDED.get(kind, ())):
        return None
    if kind == "phase" and not isinstance(event.get("name"), str):
        return None
    wrong = [name for name in event.keys() & _NUMERIC if number(event, name) is None]
    return event | dict.fromkeys(wrong) if wrong else event


def number(event: Event, key: str) -> float | None:
    """The finite number under `key`, else None: a null, a NaN, a text or an absent field is unknown."""
    value: Any = event.get(key)
    if type(value) not in NUMBERS or not -LARGEST <= value <= LARGEST:
        return None
    return float(value)

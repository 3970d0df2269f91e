"""The events of a run's log: a frozen class a kind, with one writer (`to_line`) and one reader (`from_line`).

The log is append-only, one JSON object a line. What is not known is null, never zero. Cumulative numbers (`tokens`, and
`energy_kwh` of `step` and `stop`) continue over restarts.

Any log can be read: a line that is torn, or lacks what its kind cannot be without, is left out; an event of another
version is an `UnknownEvent`; a field that is missing, or holds a value of another type, is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from . import event_fields as known
from .device_row import DeviceRow
from .event_fields import UNKNOWN, EnforcedCap, SourceUse, read_as
from .foreign_files import foreign_lines, open_foreign, parse_json
from .phases import PREPARATION

PREPARATION_FAILED = "preparation failed"  # how the fault of a start that never trained begins


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has."""

    kind: ClassVar[str] = UNKNOWN
    needed: ClassVar[tuple[str, ...]] = ()  # fields without which it says nothing
    time: float | None = read_as(known.number, "Unix seconds; follows the monotonic clock within an attempt")
    attempt: int | None = read_as(known.whole, "1 for the first start")
    step: int | None = read_as(known.whole, "the optimizer step that it belongs to")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a kind that this version does not know."""

    given_kind: str = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanEvent(Event):
    """An event that ends a span of time."""

    seconds: float | None = read_as(known.number, "how long it took")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEvent(Event):
    """Training starts, after `step`."""

    kind: ClassVar[str] = "start"
    last_step: int | None = read_as(known.whole, "where the run will end")
    world_size: int | None = read_as(known.whole, "devices")
    meter: str | None = read_as(known.name, "what measures the energy: nvml, rapl, assumed, or null")
    measured: bool | None = read_as(known.flag, "whether an instrument measures it")
    power_cap: EnforcedCap | None = read_as(  # noqa: RUF009 - it makes a field
        known.cap, "power_cap_watts, enforced_watts, and whether it is applied; null: not known"
    )
    unigram_entropy: float | None = read_as(
        known.number, "nats; the held-out loss that token frequencies alone would reach"
    )
    versions: dict[str, str] | None = read_as(known.versions, "of packages")  # noqa: RUF009 - it makes a field
    changes: tuple[str, ...] = read_as(known.texts, "settings that differ from the checkpoint's, in words")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataEvent(Event):
    """Tokenizer and shards are there."""

    kind: ClassVar[str] = "data"
    sources: tuple[SourceUse, ...] = read_as(
        known.sources,
        f"a row a source: {', '.join(SourceUse.model_fields)}; share is of the samples, epochs are as planned",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEvent(SpanEvent):
    """What a span of time went to; several may be written at once."""

    kind: ClassVar[str] = "phase"
    needed: ClassVar[tuple[str, ...]] = ("name", "seconds")
    name: str = read_as(known.text, "tokenizer, data, startup, train, validate or checkpoint")
    energy_kwh: float | None = read_as(known.number, "of this span")
    measured: bool | None = read_as(known.flag, "whether all of it is measured")

    @property
    def prepares(self) -> bool:
        """Whether it went to the preparation of the next attempt."""
        return self.name in PREPARATION


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEvent(SpanEvent):
    """An optimizer step, taken or skipped."""

    kind: ClassVar[str] = "step"
    needed: ClassVar[tuple[str, ...]] = ("step",)
    tokens: int | None = read_as(known.whole, "trained on so far")
    loss: float | None = read_as(known.number, "nats per token, mean over the batch")
    grad_norm: float | None = read_as(known.number, "before clipping; null when the update was skipped")
    learning_rate: float | None = read_as(known.number, "of this step")
    tokens_per_second: float | None = read_as(known.number, "of this step")
    mfu: float | None = read_as(known.number, "model FLOPs utilisation, a share of the devices' peak")
    energy_kwh: float | None = read_as(known.number, "of the run so far")
    power_watts: float | None = read_as(known.number, "of all metered devices together")
    memory_bytes: int | None = read_as(known.whole, "peak of the first device; on CPU of its process")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileEvent(SpanEvent):
    """What the seconds of a step went to on the ranks of a profile: means over `steps` steps. Arrays: a value a rank.

    `seconds` is a whole step. What runs beside something else counts once.
    """

    kind: ClassVar[str] = "profile"
    needed: ClassVar[tuple[str, ...]] = ("step",)
    steps: int | None = read_as(known.whole, "that were traced, the last of them `step`")
    ranks: tuple[int | None, ...] = read_as(known.wholes, "that were traced")
    compute_seconds: tuple[float | None, ...] = read_as(known.numbers, "forward and backward pass")
    communication_seconds: tuple[float | None, ...] = read_as(known.numbers, "between ranks, that nothing hides")
    optimizer_seconds: tuple[float | None, ...] = read_as(known.numbers, "update of the weights")
    waiting_seconds: tuple[float | None, ...] = read_as(known.numbers, "the rest: for the host or another rank")


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicesEvent(SpanEvent):
    """Each device of a node by itself, over the steps since the event before. Arrays: a value a rank, null: unknown."""

    kind: ClassVar[str] = "devices"
    needed: ClassVar[tuple[str, ...]] = ("step",)
    node: str = read_as(known.text, "host name")
    ranks: tuple[int | None, ...] = read_as(known.wholes, "of the node, in order")
    device: tuple[str, ...] = read_as(known.texts, "UUID of each rank's GPU")
    own_seconds: tuple[float | None, ...] = read_as(
        known.numbers, "mean of a step until the rank's last forward pass was done, before it waits for any other rank"
    )
    joules: tuple[float | None, ...] = read_as(known.numbers, "metered in the span")
    watts: tuple[float | None, ...] = read_as(known.numbers, "mean power; null where part of the span is a gap")
    clock_mhz: tuple[float | None, ...] = read_as(known.numbers, "mean clock of the multiprocessors")
    temperature_celsius: tuple[float | None, ...] = read_as(known.numbers, "highest")
    memory_bytes: tuple[float | None, ...] = read_as(known.numbers, "most in use, by all processes")
    power_capped: tuple[float | None, ...] = read_as(known.numbers, "share of looks that saw the power cap hold it")
    too_hot: tuple[float | None, ...] = read_as(known.numbers, "share of looks that saw heat hold the clock down")
    slowed_by_hardware: tuple[float | None, ...] = read_as(
        known.numbers, "share of looks that saw the board or its power supply hold the clock down"
    )

    def rows(self) -> Iterator[DeviceRow]:
        """A row a rank; what an array is too short for is unknown."""
        arrays = {name: getattr(self, name) for name in DEVICE_ARRAYS}
        for index, rank in enumerate(self.ranks):
            values = {name: array[index] for name, array in arrays.items() if index < len(array)}
            yield DeviceRow(rank=rank, node=self.node, **values)


def devices_event(node: str, rows: Sequence[DeviceRow], *, step: int, seconds: float) -> DevicesEvent:
    """The event of a node's rows; an array of which nothing is known stays empty."""
    arrays: dict[str, Any] = {name: tuple(getattr(row, name) for row in rows) for name in DEVICE_ARRAYS}
    known_arrays = {name: array for name, array in arrays.items() if any(value not in (None, "") for value in array)}
    return DevicesEvent(node=node, ranks=tuple(row.rank for row in rows), step=step, seconds=seconds, **known_arrays)


DEVICE_ARRAYS = tuple(own.name for own in fields(DeviceRow) if own.name not in ("rank", "node"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationEvent(SpanEvent):
    """A pass over the held-out batches."""

    kind: ClassVar[str] = "validation"
    tokens: int | None = read_as(known.whole, "trained on so far")
    loss: float | None = read_as(known.number, "nats per token")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointEvent(SpanEvent):
    """A checkpoint is complete; `seconds` is how long training waited for it."""

    kind: ClassVar[str] = "checkpoint"
    path: str = read_as(known.text, "its folder, within the run folder")
    bytes: int | None = read_as(known.whole, "of its files")


@dataclass(frozen=True, slots=True, kw_only=True)
class GapEvent(Event):
    """Seconds that no meter covers."""

    kind: ClassVar[str] = "gap"
    needed: ClassVar[tuple[str, ...]] = ("start", "end")
    device: str = read_as(known.device, "which one, or `all`")
    start: float | None = read_as(known.number, "Unix seconds")
    end: float | None = read_as(known.number, "Unix seconds")
    reason: str = read_as(known.text, "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultEvent(Event):
    """Something went wrong."""

    kind: ClassVar[str] = "fault"
    rank: int | None = read_as(known.whole, "where; null where it concerns no single rank")
    what: str = read_as(known.text, "what went wrong")
    action: str = read_as(known.text, "what was done about it")


@dataclass(frozen=True, slots=True, kw_only=True)
class StopEvent(Event):
    """Training ends in order; a run that is killed has none."""

    kind: ClassVar[str] = "stop"
    reason: str = read_as(known.text, "done, signal, stop-file, budget, diverged, ...")
    exit_code: int | None = read_as(known.whole, "see exit codes")
    energy_kwh: float | None = read_as(known.number, "of the run so far")


KINDS: dict[str, type[Event]] = {
    kind.kind: kind
    for kind in (
        StartEvent,
        DataEvent,
        PhaseEvent,
        StepEvent,
        ProfileEvent,
        DevicesEvent,
        ValidationEvent,
        CheckpointEvent,
        GapEvent,
        FaultEvent,
        StopEvent,
    )
}


def to_line(event: Event) -> bytes:
    """The event as a line of the log. A number that is not finite becomes null: JSON has no NaN."""
    values = {own.name: _plain(getattr(event, own.name)) for own in fields(event)}
    return json.dumps({"kind": event.kind, **values}, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return known.number(value)
    if isinstance(value, tuple):
        return [row.model_dump() if isinstance(row, SourceUse) else _plain(row) for row in value]
    return asdict(value) if isinstance(value, EnforcedCap) else value


def from_line(line: bytes) -> Event | None:
    """The event in a line of a log; None when the line is torn or not an event."""
    try:
        return from_json(parse_json(line))
    except ValueError:
        return None


def from_json(value: Any) -> Event | None:
    """The event in a JSON value; None when it is none, or lacks what its kind cannot be without."""
    if not isinstance(value, dict) or not isinstance(given := value.get("kind"), str):
        return None
    kind = KINDS.get(given)
    if kind is None:
        return UnknownEvent(given_kind=given, **_values(Event, value))
    values = _values(kind, value)
    return None if any(values[name] in (None, UNKNOWN) for name in kind.needed) else kind(**values)


def _values(kind: type[Event], value: dict[str, Any]) -> dict[str, Any]:
    return {name: read(value.get(name)) for name, read in _readers(kind)}


@cache
def _readers(kind: type[Event]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    return tuple((own.name, own.metadata["read"]) for own in fields(kind))


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a log, leaving out lines that are torn or not events. Raises OSError when there is no log."""
    with open_foreign(path) as log:
        for line in foreign_lines(log):
            event = from_line(line)
            if event is not None:
                yield event

"""The values that fields of an event can have, and how each is read: whatever a log holds, it is that or unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from .frozen import Frozen

UNKNOWN = "unknown"
LARGEST = 1e300  # beyond it arithmetic overflows; no quantity of a run comes near


class SourceUse(Frozen):
    """What one source of the corpus gave to a run."""

    path: str
    documents: int
    tokens: int
    held_out_tokens: int
    share: float  # of the samples
    epochs: float  # times that its training text is seen by the end, as planned
    skipped: int  # documents that could not be used
    duplicates: int = 0  # documents equal to an earlier one, where they are left out


@dataclass(frozen=True, slots=True)
class EnforcedCap:
    """A power cap: what was asked for, what the drivers enforce, and whether that is the same. None is unknown."""

    power_cap_watts: float | None
    enforced_watts: float | None
    applied: bool | None


def number(value: Any) -> float | None:
    """A finite number; a bool is none."""
    return float(value) if type(value) in (int, float) and -LARGEST <= value <= LARGEST else None


def whole(value: Any) -> int | None:
    """A whole number; the part behind a decimal point is dropped."""
    return None if number(value) is None else int(value)


def flag(value: Any) -> bool | None:
    """True or false, not 0 or 1."""
    return value if isinstance(value, bool) else None


def name(value: Any) -> str | None:
    """A text, or None."""
    return value if isinstance(value, str) else None


def text(value: Any) -> str:
    """A text; `unknown` where there is none."""
    return value if isinstance(value, str) else UNKNOWN


def device(value: Any) -> str:
    """A device's name; `all` where there is none."""
    return value if isinstance(value, str) else "all"


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    return tuple(map(text, value)) if isinstance(value, list) else ()


def numbers(value: Any) -> tuple[float | None, ...]:
    """A list of finite numbers, null where one is unknown."""
    return tuple(map(number, value)) if isinstance(value, list) else ()


def wholes(value: Any) -> tuple[int | None, ...]:
    """A list of whole numbers."""
    return tuple(map(whole, value)) if isinstance(value, list) else ()


def versions(value: Any) -> dict[str, str] | None:
    """Versions by name."""
    return {str(key): text(version) for key, version in value.items()} if isinstance(value, dict) else None


def cap(value: Any) -> EnforcedCap | None:
    """A power cap, of which each part can be unknown."""
    if not isinstance(value, dict):
        return None
    asked, enforced = (number(value.get(key)) for key in ("power_cap_watts", "enforced_watts"))
    return EnforcedCap(asked, enforced, flag(value.get("applied")))


def sources(value: Any) -> tuple[SourceUse, ...]:
    """Rows a source; none when one of them cannot be read."""
    try:
        return tuple(SourceUse.model_validate(row) for row in value) if isinstance(value, list) else ()
    except ValidationError:
        return ()


def read_as(read: Callable[[Any], Any], about: str) -> Any:
    """A field that `read` makes of the log's value; of None it makes what is unknown."""
    return field(default=read(None), metadata={"read": read, "about": about})

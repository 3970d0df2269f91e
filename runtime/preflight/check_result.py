"""One line of the preflight table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["pass", "warn", "fail"]
STATES: tuple[FindingState, ...] = ("pass", "warn", "fail")  # from good to bad


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was looked at, what was seen, and what to do about it."""

    name: str
    state: FindingState
    seen: str
    remedy: str = ""

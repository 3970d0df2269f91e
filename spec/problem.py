"""One diagnostic type for the whole product: what is wrong, where, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from .exit_codes import Exit

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a user's file; `line` and `column` count from 1, `width` is the length to underline.

    `text` is the whole line, kept here so that a problem can be shown without a second look at the file.
    """

    file: str
    line: int
    column: int
    width: int = 1
    text: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding about the user's input.

    `code` is stable (TW101); `path` is the dotted key (`cluster.power_cap`); `message` says what is wrong,
    `remedy` what to write instead.
    """

    code: str
    severity: Severity
    message: str
    remedy: str = ""
    path: str = ""
    place: Place | None = field(default=None)


class InputError(Exception):
    """The user's input is wrong. Carries every problem found; the command line prints them and exits so."""

    exit_code: ClassVar[Exit] = Exit.INPUT

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.code} {p.path}: {p.message}" for p in self.problems))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...]]]:
        """Cross from a worker process to its parent whole: exceptions are otherwise rebuilt from their text."""
        return type(self), (self.problems,)

    @classmethod
    def one(cls, code: str, message: str, remedy: str = "", path: str = "", place: Place | None = None) -> InputError:
        """An error with a single problem."""
        return cls([Problem(code, "error", message, remedy, path, place)])


class MissedRuleError(RuntimeError):
    """A stage met a spec that a rule of `compiler/check/` should have refused: an internal error, not the user's.

    `rule` is the code of that rule.
    """

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(f"{message}; the rule {rule} should have refused this spec")


def shortened(text: str, limit: int = 60) -> str:
    """`text`, cut so that it fits a message."""
    return text if len(text) <= limit else text[: limit - 1] + "…"

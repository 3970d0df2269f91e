"""Problems as text: for people with the line and a caret, as JSON, and as annotations of a GitHub workflow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Literal

from ...spec.foreign_text import for_terminal
from ...spec.frozen import Frozen
from ...spec.problem import Problem, Severity

Format = Literal["text", "json", "github"]

_COLOURS: dict[Severity, str] = {"error": "31", "warning": "33", "note": "36"}
_MAX_LINE = 110


class ReportedProblem(Frozen):
    """One problem in JSON; a place that is not known is null."""

    code: str
    severity: Severity
    file: str | None
    line: int | None
    column: int | None
    width: int | None
    path: str
    message: str
    remedy: str


class ReportedProblems(Frozen):
    """What `check --format json` prints."""

    problems: tuple[ReportedProblem, ...]


def ordered(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once, by file, line, column and code."""
    return sorted(dict.fromkeys(problems), key=_rank)


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """Each problem as its place and message, the line with a caret below, and what to write instead."""
    return "".join(_block(problem, colour=colour) for problem in ordered(problems))


def as_json(problems: Iterable[Problem]) -> str:
    """`{"problems": [{code, severity, file, line, column, width, path, message, remedy}]}`, the same order as text."""
    return json.dumps({"problems": [_entry(problem) for problem in ordered(problems)]}, indent=2, sort_keys=True) + "\n"


def as_github(problems: Iterable[Problem]) -> str:
    """Workflow commands that GitHub Actions shows next to the line."""
    return "".join(_annotation(problem) for problem in ordered(problems))


def summary(problems: Sequence[Problem]) -> str:
    """How many of each severity, in one line; empty when there are none."""
    counts = {severity: sum(p.severity == severity for p in problems) for severity in _COLOURS}
    return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count)


def problems_schema() -> dict[str, Any]:
    """The JSON Schema of `as_json`."""
    return ReportedProblems.model_json_schema()


def _rank(problem: Problem) -> tuple[str, int, int, str, str]:
    place = problem.place
    return (place.file, place.line, place.column, problem.code, problem.path) if place else ("", 0, 0, problem.code, "")


def _block(problem: Problem, *, colour: bool) -> str:
    paint = _COLOURS[problem.severity] if colour else ""
    problem = _plain(problem)
    head = f"{_painted(problem.severity, paint)} {problem.code}"
    about = f" {problem.path}" if problem.path else ""
    lines = [f"{_where(problem)}{head}{about}: {problem.message}", *_quoted(problem, paint)]
    if problem.remedy:
        lines.append(f"    = help: {problem.remedy}")
    return "\n".join(lines) + "\n"


def _plain(problem: Problem) -> Problem:
    """The problem with the control characters in what it quotes spelled out."""
    place = problem.place and replace(
        problem.place, file=for_terminal(problem.place.file), text=for_terminal(problem.place.text)
    )
    words = {name: for_terminal(getattr(problem, name)) for name in ("code", "path", "message", "remedy")}
    return replace(problem, place=place, **words)


def _where(problem: Problem) -> str:
    place = problem.place
    if place is None:
        return ""
    # An option such as --set is its own place: it has no lines.
    return f"{place.file}: " if place.file.startswith("--") else f"{place.file}:{place.line}:{place.column}: "


def _quoted(problem: Problem, paint: str) -> list[str]:
    """The line and a caret under the place; a long line is cut around it."""
    place = problem.place
    if place is None or not place.text.strip():
        return []
    start = max(0, place.column - 1 - _MAX_LINE // 2) if len(place.text) > _MAX_LINE else 0
    shown = place.text[start : start + _MAX_LINE].replace("\t", " ")
    before = "…" if start else ""
    indent = place.column - 1 - start + len(before)
    caret = "^" * max(1, min(place.width, len(before) + len(shown) - indent))
    gutter = " " * 4 if place.file.startswith("--") else f"{place.line:>4}"
    return [f"{gutter} | {before}{shown}", f"     | {' ' * indent}{_painted(caret, paint)}"]


def _painted(text: str, paint: str) -> str:
    return f"\x1b[1;{paint}m{text}\x1b[0m" if paint else text


def _entry(problem: Problem) -> dict[str, object]:
    entry: dict[str, object] = asdict(problem)
    del entry["place"]
    return entry | {key: getattr(problem.place, key, None) for key in ("file", "line", "column", "width")}


def _annotation(problem: Problem) -> str:
    level = "notice" if problem.severity == "note" else problem.severity
    place = problem.place
    spot = f"file={_property(place.file)},line={place.line},col={place.column}," if place else ""
    body = f"{problem.path}: {problem.message} {problem.remedy}".strip(": ").strip()
    return f"::{level} {spot}title={problem.code}::{_data(body)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

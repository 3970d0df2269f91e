"""CSV files of other tools, read strictly: a heading twice, a row of another length, a wrong number are named."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from .problem import InputError, Place, Problem, shortened

MOST_PROBLEMS = 20
UNKNOWN_WORDS = frozenset({"", "n/a", "[n/a]", "nan", "none", "null", "[not supported]", "[unknown error]", "unknown"})


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file: its fields by heading."""

    path: Path
    number: int
    fields: Mapping[str, str]

    def text(self, key: str) -> str:
        """A field, empty where there is no such column."""
        return self.fields.get(key, "").strip()

    def number_of(self, key: str, unit: str = "") -> float | None:
        """A field as a number, None where it is unknown; `unit` may stand behind it. Raises InputError."""
        word = self.text(key)
        if word.lower() in UNKNOWN_WORDS:
            return None
        try:
            value = float(word.removesuffix(unit).strip() if unit else word)
        except ValueError:
            raise self.wrong(
                f"{key} is {shortened(word, 40)!r}, which is no number{f' of {unit}' if unit else ''}"
            ) from None
        if not math.isfinite(value) or value < 0:
            raise self.wrong(f"{key} is {shortened(word, 40)!r}: it must be finite and not negative")
        return value

    def moment(self, key: str, zone: tzinfo) -> float | None:
        """A field as Unix seconds; a time that names no zone is one of `zone`. Raises InputError."""
        word = self.text(key).replace("/", "-", 2)
        if word.lower() in UNKNOWN_WORDS:
            return None
        try:
            read = datetime.fromisoformat(word)
        except ValueError:
            raise self.wrong(f"{key} is {shortened(word, 40)!r}, which is no date and time") from None
        return unix_seconds(read, zone)

    def wrong(self, message: str) -> InputError:
        """A problem of this row."""
        return InputError([Problem("TW891", "error", message, "Fix the row, or leave it out.", "", self.place)])

    @property
    def place(self) -> Place:
        """Where the row stands."""
        return Place(str(self.path), self.number, 1)


def unix_seconds(moment: datetime, zone: tzinfo) -> float:
    """Unix seconds of a moment; without a zone it is one of `zone`."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).timestamp()


def read_lines(text: str, path: Path, delimiter: str = ",") -> list[Line]:
    """The rows of a file with headings. Raises InputError (TW891) naming every row of another length."""
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    headings = [heading.strip() for heading in next(rows, [])]
    repeated = sorted({heading for heading in headings if headings.count(heading) > 1})
    if repeated:
        message = f"the heading {repeated[0]!r} stands twice"
        raise InputError.one("TW891", message, "Export it with one column of each.", place=Place(str(path), 1, 1))
    found: list[Line] = []
    problems: list[Problem] = []
    for row in rows:
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(headings):
            message = f"a row of {len(row)} fields under {len(headings)} headings"
            place = Place(str(path), rows.line_num, 1)
            problems.append(Problem("TW891", "error", message, "Fix the row, or leave it out.", "", place))
            continue
        found.append(Line(path, rows.line_num, dict(zip(headings, row, strict=True))))
    if problems:
        raise InputError(problems[:MOST_PROBLEMS])
    return found

"""The one strict door for text that users write: YAML in, a tree of values that know their line and column out.

Nothing else calls a YAML parser on user input. The subset is YAML 1.2's core schema without its traps: `3e-4` is a
number, `no`, `1:30`, `010` and dates are text, and anchors, tags, duplicate keys or a second document are refused.
"""

from __future__ import annotations

import hashlib
import math
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .problem import InputError, Place, Problem, shortened
from .yaml_syntax import meaning

STANDARD_INPUT = Path("-")
MAX_BYTES = 256 * 1024
MAX_DEPTH = 12
MAX_NODES = 10_000
MAX_INTEGER = 2**63 - 1
_DIGITS = 20  # of the largest integer with its sign; Python refuses to read thousands

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# C0 and C1 controls, DEL, Unicode line ends (they would shift line numbers), bidirectional overrides (they make a
# reviewer see another text than the parser), byte order marks inside the text, and lone surrogates.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_LINE_END = re.compile(r"\r\n|\r|\n")

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place; `key` is the place of its key, `origin` says where the value came from."""

    value: Scalar | dict[str, Node] | list[Node]
    place: Place
    key: Place | None = None
    origin: str = ""

    @property
    def plain(self) -> Any:
        """The value without places; sequences become tuples, as the frozen sections hold them."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return tuple(node.plain for node in self.value)
        return self.value

    @property
    def items(self) -> dict[str, Node]:
        """The entries of a mapping; none for any other value."""
        return self.value if isinstance(self.value, dict) else {}

    def child(self, step: str | int) -> Node | None:
        """The entry under a key or an index."""
        if isinstance(step, str):
            return self.items.get(step)
        return self.value[step] if isinstance(self.value, list) and step < len(self.value) else None


def graft(value: Any, place: Place, origin: str) -> Node:
    """A tree for a value that the compiler supplies (a preset), which a user's file names at `place`."""
    if isinstance(value, dict):
        return Node({key: graft(item, place, origin) for key, item in value.items()}, place, place, origin)
    if isinstance(value, list):
        return Node([graft(item, place, origin) for item in value], place, place, origin)
    return Node(value, place, place, origin)


def read(path: Path) -> Node:
    """The tree of a spec file, a mapping. Raises InputError with every problem found."""
    tree = parse(read_text(path), str(path))
    if not isinstance(tree.value, dict):
        raise _error("TW107", tree.place, "a spec is a mapping of keys to values", "Start from `trainwright init`.")
    return tree


def read_text(path: Path) -> str:
    """The text of a spec file. Raises InputError when it cannot be read, is too large or not UTF-8."""
    start = Place(str(path), 1, 1)
    try:
        content = _content(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _error("TW101", start, f"cannot read {path}: {reason}", "Give the path of a spec file.") from error
    if len(content) > MAX_BYTES:
        raise _error("TW106", start, f"the file is larger than {MAX_BYTES // 1024} KiB", "A spec is a few kB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        message = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise _error("TW103", Place(str(path), line, column), message, "Save the file as UTF-8.") from error


@cache
def _standard_input() -> bytes:
    """What was piped in, read once: a spec that is called `-` may be loaded several times."""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _content(path: Path) -> bytes:
    if path == STANDARD_INPUT:
        return _standard_input()
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "not a regular file")  # a pipe would be waited for
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def parse(text: str, file: str, most: int = MAX_NODES) -> Node:
    """The tree of one YAML document of any kind, of at most `most` values. Raises InputError with every problem."""
    lines = _LINE_END.split(text)
    bad = _FORBIDDEN.search(text)
    if bad:
        before = _LINE_END.split(text[: bad.start()])
        place = Place(file, len(before), len(before[-1]) + 1, 1, _printable(lines[len(before) - 1]))
        raise _error("TW103", place, f"the character U+{ord(bad.group()):04X} is not allowed", "Remove it.")
    builder = _Builder(file, lines, most)
    try:
        tree = builder.document()
    except yaml.MarkedYAMLError as error:
        raise InputError([*builder.problems, builder.broken(error)]) from error
    except yaml.YAMLError as error:
        raise _error("TW102", Place(file, 1, 1), f"not YAML: {error}", "") from error
    if builder.problems:
        raise InputError(builder.problems)
    return tree


def tokens(text: str) -> Iterator[Any]:
    """The YAML tokens of a text that `parse` accepts, for the formatter."""
    return iter(yaml.scan(text, Loader=yaml.CSafeLoader))


def digest(value: str) -> str:
    """The sha256 of a text, in hexadecimal."""
    return hashlib.sha256(value.encode()).hexdigest()


def _error(code: str, place: Place, message: str, remedy: str) -> InputError:
    return InputError.one(code, message, remedy, "", place)


def _printable(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


class _Builder:
    """Turns the event stream of libyaml into nodes, and collects what the subset refuses."""

    def __init__(self, file: str, lines: list[str], most: int) -> None:
        self.file = file
        self.most = most
        self.lines = lines
        self.problems: list[Problem] = []
        self.nodes = 0
        # Lines are joined again with \n so that libyaml counts them as we do.
        self.events: Iterator[Any] = iter(yaml.parse("\n".join(lines), Loader=yaml.CSafeLoader))

    def document(self) -> Node:
        """The only document of the stream."""
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _error("TW107", self.place(0, 0, 1), "the file is empty", "Start from `trainwright init`.")
        if start.version or start.tags:
            self.refuse(
                "TW105", start, "directives (%YAML, %TAG) are not part of the spec language", "Remove the line."
            )
        tree = self.node(next(self.events), 0)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _error("TW107", self.spot(after), "a second document starts here", "Write one spec a file.")
        return tree

    def node(self, event: Any, depth: int) -> Node:
        """The node that starts with `event`."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > self.most:
            what = f"nested deeper than {MAX_DEPTH} levels" if depth > MAX_DEPTH else f"more than {self.most} values"
            raise InputError(
                [*self.problems, Problem("TW106", "error", what, "A spec is small and flat.", "", self.spot(event))]
            )
        if isinstance(event, yaml.AliasEvent):
            self.refuse("TW105", event, f"the alias *{event.anchor} is not part of the spec language", _REUSE)
            return Node(None, self.spot(event))
        if event.anchor is not None:
            self.refuse("TW105", event, f"the anchor &{event.anchor} is not part of the spec language", _REUSE)
        if event.tag is not None:
            self.refuse("TW105", event, f"the tag {event.tag} is not part of the spec language", "Remove it.")
        if isinstance(event, yaml.ScalarEvent):
            return Node(self.scalar(event), self.spot(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(list(self.sequence(depth)), self.spot(event))
        return Node(self.mapping(depth), self.spot(event))

    def sequence(self, depth: int) -> Iterator[Node]:
        """The items up to the end of the sequence."""
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            yield self.node(event, depth + 1)

    def mapping(self, depth: int) -> dict[str, Node]:
        """The entries up to the end of the mapping; a repeated key is a problem that names both lines."""
        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            value = self.node(next(self.events), depth + 1)
            if not isinstance(event, yaml.ScalarEvent) or event.value in ("", "<<"):
                self.refuse("TW109", event, "a key must be a word", "Write `key: value`.")
                continue
            first = entries.get(event.value)
            if first is not None and first.key is not None:
                message = f"the key `{shortened(event.value)}` is a duplicate; first on line {first.key.line}"
                self.refuse("TW104", event, message, "Keep one of the two.")
                continue
            entries[event.value] = replace(value, key=key.place)
        return entries

    def scalar(self, event: Any) -> Scalar:
        """The value of a scalar by the core schema; quoted text is always text."""
        text: str = event.value
        if _FORBIDDEN.search(text) or re.search(r"[\t\r\n]", text):
            self.refuse("TW103", event, "a value must be one line without control characters", "Write it on one line.")
            return ""
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            self.refuse("TW108", event, f"{text} is not a number that can be used", "Write a finite number.")
            return 0
        if _FLOAT.fullmatch(text):
            return self.number(event, text)
        return text

    def number(self, event: Any, text: str) -> int | float:
        """An integer or a float that fits in 64 bits."""
        whole = _INTEGER.fullmatch(text)
        value = int(text) if whole and len(text) <= _DIGITS else float(text)
        if not math.isfinite(value) or (whole and abs(value) > MAX_INTEGER):
            self.refuse("TW108", event, f"{shortened(text)} is too large for any spec", "Write a smaller number.")
            return 0
        return value

    def refuse(self, code: str, event: Any, message: str, remedy: str) -> None:
        """Note a problem at the place of `event`."""
        self.problems.append(Problem(code, "error", message, remedy, "", self.spot(event)))

    def broken(self, error: yaml.MarkedYAMLError) -> Problem:
        """The problem that libyaml stopped at."""
        stopped = error.problem_mark or error.context_mark
        line = self.lines[stopped.line] if stopped and stopped.line < len(self.lines) else ""
        message, remedy, at_start = meaning(error, line)
        mark = error.context_mark if at_start else stopped
        place = self.place(mark.line, mark.column, 1) if mark else Place(self.file, 1, 1)
        return Problem("TW102", "error", f"not YAML: {message}", remedy, "", place)

    def spot(self, event: Any) -> Place:
        """The place of an event; the width stays within its first line."""
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if start.line == end.line else 1
        return self.place(start.line, start.column, width)

    def place(self, line: int, column: int, width: int) -> Place:
        """The place for libyaml's marks, which count from 0."""
        text = self.lines[line] if line < len(self.lines) else ""
        return Place(self.file, line + 1, column + 1, max(1, width), text)


_REUSE = "Write the value out, or reuse a whole file with `extends`."

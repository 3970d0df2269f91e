"""The formatter: one way to write a spec, comments and order kept. Text in, text out; it works on YAML's tokens.

Two blanks an indent, one after `:` and `,`, none inside brackets, two before a comment, no trailing blanks, at most one
empty line. The result is read again: a text that would mean something else, or lose a comment, is never returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml

from ...spec.problem import InputError, Place
from ...spec.yaml_source import parse, tokens

INDENT = 2

_OPENING = (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken)
_CLOSING = (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)
_TIGHT_BEFORE = (yaml.ValueToken, yaml.FlowEntryToken, *_CLOSING)
_BLOCKS = (yaml.BlockMappingStartToken, yaml.BlockSequenceStartToken)


@dataclass(slots=True)
class _Line:
    """The tokens of one line, where the line starts, and what its columns become."""

    tokens: list[Any] = field(default_factory=list[Any])
    indent: int = 0
    shift: int = 0
    in_flow: bool = False


def format_spec(text: str, file: str) -> str:
    """`text` in the one way to write it. Raises InputError when it is not YAML of the spec language."""
    before = parse(text, file)
    source = [line.rstrip() for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))]
    lines = _lines("\n".join(source), source, file)
    written = [_written(at, source, lines) for at in range(len(source))]
    result = re.sub(r"\n{3,}", "\n\n", "\n".join(written).strip("\n")) + "\n"
    same = json.dumps(parse(result, file).plain) == json.dumps(before.plain)
    if not same or _comments(written) != _comments(source):
        raise RuntimeError(f"formatting {file} would change its meaning")
    return result


def _lines(text: str, source: list[str], file: str) -> dict[int, _Line]:
    """The lines that hold tokens, with the indent that each gets."""
    lines: dict[int, _Line] = {}
    columns: list[tuple[int, int]] = []  # of open blocks: the column now, and the column to be
    depth = 0
    for token in tokens(text):
        start, end = token.start_mark, token.end_mark
        if isinstance(token, _BLOCKS):
            columns.append((start.column, columns[-1][1] + INDENT if columns else 0))
        elif isinstance(token, yaml.BlockEndToken):
            columns.pop()
        if start.index == end.index:
            continue
        if start.line != end.line:
            place = Place(file, start.line + 1, start.column + 1, 1, source[start.line])
            message = "a value over several lines cannot be formatted"
            raise InputError.one("TW103", message, "Write it on one line.", "", place)
        line = lines.setdefault(start.line, _first(start.column, columns, depth, lines))
        line.tokens.append(token)
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
    return lines


def _first(column: int, columns: list[tuple[int, int]], depth: int, lines: dict[int, _Line]) -> _Line:
    """A line that starts at `column`: inside brackets it moves with the line above, else to the column of its block."""
    if depth and lines:
        above = lines[max(lines)]
        return _Line(indent=max(0, column + above.shift), shift=above.shift, in_flow=True)
    now, then = next(((now, then) for now, then in reversed(columns) if now <= column), (0, 0))
    indent = then if column == now else then + INDENT
    return _Line(indent=indent, shift=indent - column)


def _written(at: int, source: list[str], lines: dict[int, _Line]) -> str:
    line = lines.get(at)
    if line is None:
        comment = source[at].strip()
        return " " * _comment_indent(at, source, lines) + _spaced(comment) if comment else ""
    code = "".join(_pieces(line.tokens, source[at]))
    end = line.tokens[-1].end_mark.column
    comment = source[at][end:].strip()
    if not comment:
        return " " * line.indent + code
    gap = max(2, len(source[at][end:]) - len(source[at][end:].lstrip()))
    return " " * line.indent + code + " " * gap + _spaced(comment)


def _pieces(tokens: list[Any], text: str) -> Iterator[str]:
    """The tokens of a line with the blanks between them."""
    yield _text(tokens[0], text)
    for left, right in pairwise(tokens):
        tight = isinstance(right, _TIGHT_BEFORE) or isinstance(left, _OPENING)
        yield ("" if tight else " ") + _text(right, text)


def _text(token: Any, text: str) -> str:
    return text[token.start_mark.column : token.end_mark.column]


def _comment_indent(at: int, source: list[str], lines: dict[int, _Line]) -> int:
    """A comment of its own stands above what it is about, or at the margin."""
    column = len(source[at]) - len(source[at].lstrip())
    after = next((lines[later] for later in range(at + 1, len(source)) if later in lines), None)
    if column == 0 or after is None:
        return 0
    return max(0, column + after.shift) if after.in_flow else after.indent


def _spaced(comment: str) -> str:
    """`#text` gets a blank; `#!`, rules of `####` and an empty comment stay."""
    return re.sub(r"^#(?=[^\s#!])", "# ", comment)


def _comments(lines: list[str]) -> list[str]:
    """What stands behind the first `#` of each line; quoted ones compare equal too."""
    return [re.sub(r"\s+", "", line.partition("#")[2]) for line in lines if "#" in line]

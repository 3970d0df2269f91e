"""Fenced code blocks of a Markdown page: found, read and put back."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_FENCE = re.compile(
    r"^(?P<indent>[ ]*)(?P<ticks>`{3,})(?P<language>[\w-]*)(?P<options>[^\n`]*)\n"
    r"(?P<body>.*?)^(?P=indent)(?P=ticks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Fence:
    """One block: its language, its `key=value` options, its text without indent, and the line where it starts."""

    language: str
    options: dict[str, str]
    body: str
    line: int


def fences(markdown: str) -> Iterator[Fence]:
    """Every fenced block of a page, in order."""
    for match in _FENCE.finditer(markdown):
        yield _fence(match, markdown)


def rewritten(markdown: str, change: Callable[[Fence], str | None]) -> str:
    """The page with each block's text replaced by what `change` returns; None leaves a block as it is."""

    def block(match: re.Match[str]) -> str:
        body = change(_fence(match, markdown))
        if body is None:
            return match.group()
        indent, ticks = match["indent"], match["ticks"]
        lines = "".join(f"{indent}{line}\n" if line else "\n" for line in body.splitlines())
        return f"{indent}{ticks}{match['language']}{match['options']}\n{lines}{indent}{ticks}"

    return _FENCE.sub(block, markdown)


def _fence(match: re.Match[str], markdown: str) -> Fence:
    words = [word.partition("=") for word in shlex.split(match["options"])]
    indent = match["indent"]
    body = "".join(line.removeprefix(indent) for line in match["body"].splitlines(keepends=True))
    return Fence(
        match["language"],
        {key: value for key, _, value in words},
        body,
        markdown.count("\n", 0, match.start()) + 1,
    )

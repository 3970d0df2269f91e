"""Templates of shell scripts, where a value can only appear quoted.

Jinja's own escaping is for HTML and leaves `$(command)` alone. Here a value reaches a script only through the filter
`sh`, which quotes it for the shell; whatever has not gone through it stops the compilation.
"""

from __future__ import annotations

import shlex
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined


class Quoted(str):
    """Text that is safe to stand in a shell script."""

    __slots__ = ()


def quoted(value: str | float) -> Quoted:
    """`value` as one shell word. Raises ValueError for control characters, which no word can carry in safety."""
    text = str(value)
    if not text.isprintable():
        raise ValueError(f"{text!r} holds a character that a script cannot carry")
    # `NAME==x` is an assignment, but reads like a comparison.
    return Quoted(f"'{text}'" if text.startswith("=") and shlex.quote(text) == text else shlex.quote(text))


def comment(text: str) -> Quoted:
    """`text` for a comment line. Raises ValueError when it would not stay on that line."""
    if not text.isprintable():
        raise ValueError(f"{text!r} does not fit a comment line")
    return Quoted(text)


def code(line: str) -> Quoted:
    """A line that is shell code by design (`launch.setup`). Raises ValueError when it would not stay on its line."""
    if not line.isprintable():
        raise ValueError(f"{line!r} is not one line of shell")
    return Quoted(line)


def _only_quoted(value: Any) -> Any:
    if isinstance(value, Quoted) or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise TypeError(f"{value!r} reached a script without the filter `sh`")


@cache
def _environment() -> Environment:
    folder = files("trainwright.templates")
    environment = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        undefined=StrictUndefined,
        finalize=_only_quoted,
        autoescape=False,  # noqa: S701 - HTML escaping does not protect a shell; `finalize` does
        comment_start_string="<#",  # the usual one begins like a length in bash
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"sh": quoted, "comment": comment, "code": code}
    return environment


def script(template: str, **values: Any) -> str:
    """The template of that name, filled in."""
    return _environment().get_template(template).render(values)

"""Text of somebody else on its way to a reader: one function a medium, so that it can be nothing but text there.

HTML is escaped by Jinja, JSON by its dumper; what a shell reads goes through `compiler/render/shell.py`.
"""

from __future__ import annotations

import re

_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{char: "\\" + char for char in "&%$#_{}"},
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~])")
_NUMBER = re.compile(r"[+-]?[\d.,]+( ?[%A-Za-z]+)?")  # "+8.0%", "-12 W": computed from by nothing
_FORMULA = frozenset("=+-@\t\r")


def for_terminal(text: str) -> str:
    """Text without control characters: escapes, bidirectional overrides and the like are spelled out.

    Line feeds and tabs stay. What is spelled out is valid inside a JSON string.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else _spelled(char) for char in text)


def on_one_line(text: str) -> str:
    """Text as `for_terminal` gives it, on one line: for a label, a cell or a comment."""
    return for_terminal(" ".join(text.split()))


def _spelled(char: str) -> str:
    code = ord(char)
    units = [code] if code < 0x10000 else [0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF)]
    return "".join(f"\\u{unit:04x}" for unit in units)


def for_csv(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    cell = for_terminal(text)
    return "'" + cell if cell[:1] in _FORMULA and not _NUMBER.fullmatch(cell) else cell


def for_markdown(text: str) -> str:
    """Words with Markdown's and HTML's signs escaped, on one line."""
    return _MARKDOWN.sub(r"\\\1", on_one_line(text))


def for_latex(text: str) -> str:
    """Words with LaTeX's signs escaped, on one line; CO2 with its subscript."""
    escaped = "".join(_LATEX.get(char, char) for char in on_one_line(text))
    return escaped.replace("CO2", r"CO\textsubscript{2}")


def for_plot(text: str) -> str:
    """A label on one line, in which matplotlib finds no formula."""
    return on_one_line(text).replace("$", r"\$")

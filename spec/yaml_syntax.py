"""libyaml's complaints in plain words: what is wrong, where it began, and what to write."""

from __future__ import annotations

from dataclasses import dataclass

import yaml

_ANYTHING = "Look here and at the line above: a colon, quote or bracket is missing or too much, or the indent is off."


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What one of libyaml's messages means; `at_start`: point at where the broken thing begins."""

    message: str
    remedy: str
    at_start: bool = False


# By a part of libyaml's message (scanner.c, parser.c).
_MEANINGS = {
    "expected ',' or '}'": _Meaning("this { is not closed, or a comma is missing", "Close it with }.", at_start=True),
    "expected ',' or ']'": _Meaning("this [ is not closed, or a comma is missing", "Close it with ].", at_start=True),
    "unexpected end of stream": _Meaning("this quote is not closed", "Close it on the same line.", at_start=True),
    "alphabetic or numeric": _Meaning(
        "a star or an ampersand at the start means an alias or an anchor", 'Quote a pattern: "*.txt".'
    ),
    "cannot start any token": _Meaning("this character cannot start a value", "Put the value in quotes."),
    "mapping values are not allowed": _Meaning(
        "a colon where no key can be",
        "Indent equally, write a blank after the colon of a key, and quote text that holds a colon and a blank.",
    ),
    "could not find expected ':'": _Meaning("a key without its colon", "Write `key: value`.", at_start=True),
    "block mapping": _Meaning(
        "a line that is no `key: value` of this section", "Indent the keys of a section equally."
    ),
}


def meaning(error: yaml.MarkedYAMLError, line: str) -> tuple[str, str, bool]:
    """Message, remedy, and whether to point at the start of what was being read; `line` is where reading stopped."""
    said = f"{error.problem or ''}"
    if "cannot start any token" in said and "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab in the indent", "Indent with blanks; YAML allows no tabs there.", False
    for part, found in _MEANINGS.items():
        if part in said:
            return found.message, found.remedy, found.at_start and error.context_mark is not None
    for part, found in _MEANINGS.items():
        if part in (error.context or ""):
            return found.message, found.remedy, False
    return said or str(error.context), _ANYTHING, False

"""A file of runs through the strict YAML door: rows in, `PublishedRun` values out, every problem with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from ...spec.problem import InputError, Problem
from ...spec.yaml_source import Node, parse
from ..load.pydantic_errors import problem_from_pydantic
from .published_run import SHORT, UNITS, PublishedRun

LARGEST = 50_000_000  # bytes of a file of runs
MAX_VALUES = 1_000_000
WORDS = {"source_date", "source_commit"}  # text that may look like a number
FORMAT = "docs/estimator.md describes the format."


def read_text(path: Path) -> str:
    """The text of a file of runs. Raises InputError when it cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise InputError.one("TW851", f"{path} is larger than {LARGEST:,} bytes", "Split the file.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError.one("TW852", f"{path} cannot be read: {error.strerror}", "Name a file of runs.") from error
    except UnicodeDecodeError as error:
        raise InputError.one("TW852", f"{path} is not UTF-8 text", "Name a file of runs.") from error


def read_runs(path: Path, text: str) -> list[PublishedRun]:
    """The rows of a YAML file of runs: a list, or `runs` beside `about`, notes that nothing reads.

    Raises InputError with every problem.
    """
    tree = parse(text, str(path), MAX_VALUES)
    if isinstance(tree.value, dict) and tree.items.keys() == {"about", "runs"}:
        tree = tree.items["runs"]
    if not isinstance(tree.value, list) or not tree.value:
        raise InputError.one("TW854", f"{path} is not a list of runs", FORMAT, "", tree.place)
    runs: list[PublishedRun] = []
    problems: list[Problem] = []
    for index, row in enumerate(tree.value):
        try:
            runs.append(_run(row, problems))
        except InputError as error:
            problems += [replace(found, path=f"{index}.{found.path}".rstrip(".")) for found in error.problems]
    problems += _repeated(tree.value)
    if problems:
        raise InputError(problems)
    return runs


def _run(row: Node, problems: list[Problem]) -> PublishedRun:
    if not isinstance(row.value, dict):
        raise InputError.one("TW855", "a run is a mapping of keys to values", FORMAT, "", row.place)
    row = replace(row, value=_spelled_out(row, problems))
    try:
        return PublishedRun.model_validate(row.plain, strict=True, context={"units": True})
    except ValidationError as error:
        found = [problem_from_pydantic(item, row, PublishedRun) for item in error.errors(include_url=False)]
        raise InputError(list(dict.fromkeys(found))) from None


def _spelled_out(row: Node, problems: list[Problem]) -> dict[str, Node]:
    """The entries of a row under the spec's keys, quantities with their units; nulls say nothing and go."""
    entries: dict[str, Node] = {}
    given = {key: node for key, node in row.items.items() if node.value is not None}
    if "gbs_seqs" in given:
        given.pop("gbs_tokens", None)  # a source may say both; sequences are exact
    for key, node in given.items():
        name, unit = UNITS.get(key, (SHORT.get(key, key), ""))
        bare = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        text = f"{node.value} {unit}" if unit and bare else str(node.value) if name in WORDS and bare else node.value
        if name in entries:
            message = f"`{key}` says the same as another key of this run"
            problems.append(Problem("TW104", "error", message, f"Keep `{name}`.", name, node.key))
        entries[name] = replace(node, value=text)
    return entries


def _repeated(rows: list[Node]) -> Iterator[Problem]:
    seen: set[object] = set()
    for row in rows:
        name = row.child("id")
        if name is not None and name.value in seen:
            message = f"run {name.value!r} is there twice"
            yield Problem("TW855", "error", message, "Give each run its own id.", "id", name.place)
        seen.add(name.value if name else None)

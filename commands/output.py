"""What every command prints the same way: problems, and our own faults."""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterable
from pathlib import Path

from ..spec.problem import Problem


def print_problems(problems: Iterable[Problem]) -> None:
    """Print problems to standard error, one after another."""
    for problem in problems:
        place = f"{problem.place.file}:{problem.place.line}:{problem.place.column}: " if problem.place else ""
        print(f"{place}{problem.severity} {problem.code} {problem.path}: {problem.message}", file=sys.stderr)
        if problem.help:
            print(f"  {problem.help}", file=sys.stderr)


def report_fault(error: BaseException) -> None:
    """Two lines on screen, the traceback in a file."""
    with tempfile.NamedTemporaryFile("w", prefix="trainwright-fault-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    print(f"trainwright: an unexpected error: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"  This is our fault, please report it with {Path(log.name)}", file=sys.stderr)

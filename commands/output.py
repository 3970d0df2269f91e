"""What every command prints the same way: problems, and our own faults."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Iterable
from pathlib import Path

from ..compiler.diagnostics import Format, as_github, as_json, as_text, ordered, summary
from ..spec.problem import Problem


def print_problems(problems: Iterable[Problem]) -> None:
    """Print problems to standard error, each with its line and a caret."""
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")  # https://no-color.org
    sys.stderr.write(as_text(problems, colour=colour))


def print_report(problems: list[Problem], format_: Format, done: str) -> None:
    """Print what a check found: JSON and GitHub's commands to standard output, text with a summary to the terminal."""
    if format_ == "json":
        sys.stdout.write(as_json(problems))
    elif format_ == "github":
        sys.stdout.write(as_github(problems))
    else:
        print_problems(problems)
        if problems:
            print(f"{summary(ordered(problems))}; `trainwright explain CODE` says more", file=sys.stderr)
        else:
            print(done)


def report_fault(error: BaseException) -> None:
    """Two lines on screen, the traceback in a file."""
    with tempfile.NamedTemporaryFile("w", prefix="trainwright-fault-", suffix=".log", delete=False) as log:
        log.write("".join(traceback.format_exception(error)))
    print(f"trainwright: an unexpected error: {type(error).__name__}: {error}", file=sys.stderr)
    print(f"  This is our fault, please report it with {Path(log.name)}", file=sys.stderr)

"""Prints the findings of a preflight."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from .finding import Finding

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def show(findings: Iterable[Finding]) -> None:
    """Print one line a finding: state, what, what was seen, what to do."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        state = f"[{_COLOURS[finding.state]}]{finding.state}[/]"
        table.add_row(state, finding.name, finding.seen, finding.remedy)
    Console(highlight=False).print(table)

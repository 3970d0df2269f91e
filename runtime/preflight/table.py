"""Prints the findings of a preflight."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from .finding import Finding

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def show(findings: Iterable[Finding]) -> None:
    """Print one line a finding (state, what, what was seen), and under a bad one what to do."""
    rows = list(findings)
    width = max((len(finding.name) for finding in rows), default=0)
    console = Console(highlight=False)
    for finding in rows:
        state = f"[{_COLOURS[finding.state]}]{finding.state}[/]"
        console.print(f"{state}  {escape(finding.name):{width}}  {escape(finding.seen)}", soft_wrap=True)
        if finding.remedy:
            console.print(f"      {'':{width}}  [dim]{escape(finding.remedy)}[/]", soft_wrap=True)

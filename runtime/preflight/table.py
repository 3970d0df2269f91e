"""Prints the findings of a preflight."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text

from ...spec.terminal import Terminal
from .check_result import CheckResult

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "bold red"}


def show(findings: Iterable[CheckResult]) -> None:
    """Print one line a finding (state, what, what was seen), and under a bad one what to do."""
    rows = list(findings)
    width = max((len(finding.name) for finding in rows), default=0)
    console = Terminal()
    for finding in rows:
        state, about = Text(finding.state, _COLOURS[finding.state]), f"  {finding.name:{width}}  {finding.seen}"
        console.print(state + Text(about), soft_wrap=True)
        if finding.remedy:
            console.print(Text(f"      {'':{width}}  {finding.remedy}", "dim"), soft_wrap=True)

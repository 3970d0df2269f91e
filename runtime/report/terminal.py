"""The report in a terminal: the table, and for a single run what lies behind it."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from .layouts import terminal
from .prose import facts
from .tables import emissions, run_tables
from .values import Report


def show(report: Report, console: Console) -> None:
    """Print the emissions table; for one run its tables too; always what is missing."""
    if len(report.runs) == 1:
        console.print(Text(report.runs[0].label, "bold"))
        for name, value in facts(report.runs[0]):
            console.print(Text(f"  {name:<22}{value}"), soft_wrap=True)
        console.print()
    tables = [emissions(report)] + (run_tables(report.runs[0]) if len(report.runs) == 1 else [])
    for table in tables:
        console.print(terminal(table))
        for note in table.notes:
            console.print(Text(f"  {note}", "dim"))
        console.print()
    for run in report.runs:
        for note in run.missing:
            console.print(Text(f"{run.label}: {note}", "yellow"), soft_wrap=True)

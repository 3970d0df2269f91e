"""A verified receipt as tables: its inputs with sources, its numbers with expressions, and what differs."""

from __future__ import annotations

from collections.abc import Sequence

from ..tables.cells import Cell, Table, significant_cell, table, text
from .values import Receipt
from .verify import Difference


def receipt_tables(receipt: Receipt, findings: Sequence[Difference]) -> list[Table]:
    """Inputs, numbers and, where there are any, findings."""
    inputs = [
        (text(i.name), _number(i.value), text(i.unit), text(i.source), text(i.date or "")) for i in receipt.inputs
    ]
    numbers = [
        (text(n.name), _number(n.value), text(n.printed.text if n.printed else ""), text(n.unit), text(n.expression))
        for n in receipt.numbers
    ]
    found = [(text(finding.where), text(finding.message)) for finding in findings]
    tables = [
        table("inputs", "What is taken over", ("Input", "Value", "Unit", "Source", "Date"), inputs),
        table("numbers", "What is computed", ("Number", "Value", "Printed", "Unit", "Expression"), numbers),
    ]
    return [*tables, *([table("differs", "What differs", ("Where", "How"), found)] if found else [])]


def _number(value: float | None) -> Cell:
    return significant_cell(value, 6)

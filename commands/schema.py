"""`trainwright schema`: the JSON Schema of the spec, for editors, and of what `--format json` prints."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import typer

Kind = Literal["spec", "problems", "estimate", "status", "report", "receipt", "compare"]


def command(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="OF",
            help="spec; or the JSON of: problems (check), estimate, status, report, compare, receipt.",
        ),
    ] = "spec",
) -> None:
    """Print the schema; `# yaml-language-server: $schema=...` in a spec gives completion and hover text."""
    print(json.dumps(_schema(kind), indent=2, ensure_ascii=False))


def _schema(kind: Kind) -> dict[str, Any]:
    if kind == "spec":
        from ..compiler.help.json_schema import schema

        return schema()
    if kind == "problems":
        from ..compiler.help.diagnostics import problems_schema

        return problems_schema()
    from pydantic import TypeAdapter

    from ..report.receipt.values import Receipt
    from ..report.status import RunStatus
    from ..report.tables.compare import Contender
    from ..report.values import Report
    from ..spec.estimate import Estimate

    kinds = {
        "estimate": list[Estimate],
        "status": list[RunStatus],
        "report": Report,
        "compare": list[Contender],
        "receipt": Receipt,
    }
    return TypeAdapter[Any](kinds[kind]).json_schema(mode="serialization")

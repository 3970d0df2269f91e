"""`trainwright schema`: the JSON Schema of the spec, for editors, and of what `--format json` prints."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, get_args

import typer

Kind = Literal["spec", "problems", "estimate", "plan", "scaling", "diff", "status", "report", "compare", "receipt"]
_OUTPUTS = ", ".join(name for name in get_args(Kind) if name not in ("spec", "problems"))


def command(
    kind: Annotated[
        Kind, typer.Argument(metavar="OF", help=f"spec; or the JSON output of: problems (check), {_OUTPUTS}.")
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

    return TypeAdapter[Any](_printed()[kind]).json_schema(mode="serialization")


def _printed() -> dict[Kind, Any]:
    """The type of what each command prints."""
    from ..compiler.help.diff import Difference
    from ..compiler.plan.plan_rows import PlanRow
    from ..report.receipt.values import Receipt
    from ..report.status import RunStatus
    from ..report.tables.compare import Contender
    from ..report.tables.scaling import ScalingRow
    from ..report.values import Report
    from ..spec.estimate import Estimate
    from ..spec.scaling import ScalingPoint

    return {
        "estimate": list[Estimate],
        "plan": list[PlanRow] | list[ScalingPoint],  # the second with --under
        "scaling": list[ScalingRow],
        "diff": Difference,
        "status": list[RunStatus],
        "report": Report,
        "compare": list[Contender],
        "receipt": Receipt,
    }

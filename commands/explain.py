"""`trainwright explain`: what a code means, why the rule is there, a bad and a good example."""

from __future__ import annotations

from typing import Annotated

import typer

from ..compiler.help.explain import entries, explain, reference


def command(
    code: Annotated[str, typer.Argument(metavar="CODE", help="For example TW206; without it, all codes.")] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="The reference page of all codes.")] = False,
) -> None:
    """Explain a problem code."""
    if markdown:
        print(reference(), end="")
    elif code:
        print(explain(code).text, end="")
    else:
        for entry in entries().values():
            print(f"{entry.code}  {entry.title}")

"""`trainwright explain`: what a code means and why, with examples; or what a key is for, takes and defaults to."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from ..compiler.help.explain import entries, explain, reference
from ..compiler.help.explain_key import explain_key
from .options import refuse_options


def command(
    word: Annotated[
        str | None,
        typer.Argument(metavar="CODE|KEY", help="For example TW206 or cluster.power_cap; without it, all codes."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The reference page of all codes.")] = False,
) -> None:
    """Explain a problem code, or a key of the spec."""
    if markdown:
        refuse_options({"CODE|KEY": word}, "is one, and --markdown prints all codes")
        print(reference(), end="")
    elif re.fullmatch(r"(?i)tw\w*", word or ""):
        print(explain(word or "").text, end="")
    elif word is not None:
        print("\n".join(key.text for key in explain_key(word)), end="")
    else:
        for entry in entries().values():
            print(f"{entry.code}  {entry.title}")

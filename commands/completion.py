"""`trainwright completion SHELL`: the script by which a shell completes commands, options and choices."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from typer.completion import get_completion_script  # pyright: ignore[reportPrivateImportUsage] - it has no other name

Shell = Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL", help="bash, zsh or fish.")]


def command(shell: Shell) -> None:
    """Print it; for bash: `source <(trainwright completion bash)` in ~/.bashrc."""
    print(get_completion_script(prog_name="trainwright", complete_var="_TRAINWRIGHT_COMPLETE", shell=shell))

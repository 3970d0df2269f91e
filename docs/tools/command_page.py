"""The page of every command with its arguments and options, from the command line itself."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from ...cli import COMMANDS, load_command
from .tables import code, page, table

_INTRO = """\
`--set KEY=VALUE` overrides a key of the spec on every command that takes it: `cluster.power_cap=350W`, an entry of a
list as `data.train.0.weight=2`, a whole list as `'data.train=[a/*.txt, b/*.txt]'`, `=null` to take a value away, and
`'matrix.cluster.power_cap=[400 W, 350 W]'` for several specs of one. `trainwright COMMAND --help` prints the
same as this page. What a command's exit code means: [exit codes](exit-codes.md).
"""


def command_page() -> str:
    """Every command, in the order of work."""
    return page("Commands", "`cli.py` and `commands/`", _INTRO, *(_section(name) for name in COMMANDS))


def _section(name: str) -> str:
    function = load_command(name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    command: Any = typer.main.get_command(app)
    context = command.make_context(f"trainwright {name}", [], resilient_parsing=True)
    usage = " ".join(command.get_usage(context).removeprefix("Usage:").split())
    about = " ".join((inspect.getdoc(function) or "").split())
    rows = [(code(names), about) for names, about in (_help(item, context) for item in command.params) if names]
    parts = [f"## {name}", COMMANDS[name], f"    {usage}", about if about != COMMANDS[name] else ""]
    return "\n\n".join(
        [part for part in parts if part] + ([table(("argument or option", "meaning"), rows)] if rows else [])
    )


def _help(parameter: Any, context: Any) -> tuple[str, str]:
    """What `--help` prints of a parameter: its names and its meaning, on one line each."""
    names, about = parameter.get_help_record(context) or ("", "")
    return " ".join(names.split()), " ".join(about.split())

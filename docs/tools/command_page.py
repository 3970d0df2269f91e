"""The page of every command with its arguments and options, from the command line itself."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import click
import typer

from ...cli import COMMANDS
from .tables import code, page, table

_INTRO = """\
`--set KEY=VALUE` overrides a key of the spec on every command that takes it. `trainwright COMMAND --help` prints the
same as this page. What a command's exit code means: [exit codes](exit-codes.md).
"""


def command_page() -> str:
    """Every command, in the order of work."""
    return page("Commands", "`cli.py` and `commands/`", _INTRO, *(_section(name) for name in COMMANDS))


def _section(name: str) -> str:
    function = importlib.import_module(f"trainwright.commands.{name}_").command
    app = typer.Typer(add_completion=False)
    app.command(name)(function)
    command: Any = typer.main.get_command(app)
    context = click.Context(command, info_name=f"trainwright {name}")
    about = " ".join((inspect.getdoc(function) or "").split())
    usage = " ".join(command.get_usage(context).removeprefix("Usage:").split())
    rows = [_row(parameter, context) for parameter in command.params if parameter.name != "help"]
    lines = [f"## {name}", "", COMMANDS[name], "", f"    {usage}", ""]
    lines += [about, ""] if about and about != COMMANDS[name] else []
    return "\n".join([*lines, table(("argument or option", "takes", "default", "meaning"), rows) if rows else ""])


def _row(parameter: Any, context: click.Context) -> tuple[str, str, str, str]:
    is_option = parameter.param_type_name == "option"
    names = ", ".join(code(name) for name in [*parameter.opts, *parameter.secondary_opts])
    flag = is_option and parameter.is_flag
    return (
        names if is_option else code(parameter.make_metavar(context)),
        "" if flag or not is_option else code(parameter.make_metavar(context)),
        _default(parameter, flag=flag),
        parameter.help or "",
    )


def _default(parameter: Any, *, flag: bool) -> str:
    if parameter.required:
        return "**needed**"
    value = parameter.default
    if flag or value in (None, [], ()) or callable(value):
        return ""
    return code(getattr(value, "value", value))

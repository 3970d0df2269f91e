"""The page of every command with its arguments and options, from the command line itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from ...cli import COMMANDS, click_command, load_command
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
    command: Any = click_command(name, function)
    context = command.make_context(f"trainwright {name}", [], resilient_parsing=True)
    below: dict[str, Any] = getattr(command, "commands", {})
    about = "" if below else " ".join((inspect.getdoc(function) or "").split())
    parts = [f"## {name}", COMMANDS[name], *_body(command, context, about if about != COMMANDS[name] else "")]
    for word, one in below.items():
        inside = one.make_context(word, [], parent=context, resilient_parsing=True)
        parts += [f"### {name} {word}", *_body(one, inside, " ".join((one.help or "").split()))]
    return "\n\n".join(parts)


def _body(command: Any, context: Any, about: str) -> Iterator[str]:
    """How a command is called, what it does, and what each of its words means."""
    yield "    " + " ".join(command.get_usage(context).removeprefix("Usage:").split())
    if about:
        yield about
    rows = [(code(names), about) for names, about in (_help(item, context) for item in command.params) if names]
    if rows:
        yield table(("argument or option", "meaning"), rows)


def _help(parameter: Any, context: Any) -> tuple[str, str]:
    """What `--help` prints of a parameter: its names and its meaning, on one line each."""
    names, about = parameter.get_help_record(context) or ("", "")
    return " ".join(names.split()), " ".join(about.split())

"""The command line: which commands exist, and what happens when one fails. Each command is a file in `commands/`.

A command's module is imported only when that command runs, so that `--help` and `check` never pay for torch.
"""

from __future__ import annotations

import gc
import importlib
import io
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from keyword import iskeyword
from typing import Any

import typer
from typer.core import TyperGroup

from .spec.exit_codes import Exit
from .spec.plain_screen import guard_screens
from .spec.problem import InputError

COMMANDS = {
    "init": "Write a commented spec from a few answers.",
    "check": "Check a spec and report every problem at once.",
    "explain": "Explain a problem code or a key of the spec, with examples.",
    "presets": "List models, GPUs, clusters and sites that a spec can name.",
    "schema": "Print the JSON Schema of the spec, for editors.",
    "fmt": "Format a spec, keeping comments and order.",
    "diff": "Say what changed between two specs, and what that costs.",
    "plan": "Show the best parallel layouts, and why the others lose.",
    "estimate": "Say what runs will cost: memory, time, energy, carbon, money.",
    "schedule": "When to train, by the carbon intensity of each hour.",
    "scaling": "Throughput and carbon against GPUs, interconnect, power cap.",
    "backtest": "Compare the estimator with runs that really happened.",
    "calibrate": "Fit the estimator's efficiency to your own runs.",
    "compile": "Write the bundle: plan, scripts, DeepSpeed config, estimate.",
    "preflight": "Check the machines before a run starts.",
    "data": "Prepare, list, verify and remove the datasets that runs share.",
    "launch": "Compile, verify and start a run, and follow it.",
    "status": "Say where a run stands.",
    "stop": "Ask runs to checkpoint and exit.",
    "profile": "Trace steps of a run under way: where their time goes.",
    "watch": "Follow a run live: progress, loss, power, carbon so far.",
    "report": "The emissions table and the loss curves of runs.",
    "compare": "Runs and specs side by side, planned or measured.",
    "receipt": "Write down what an emissions table rests on, to be checked.",
    "verify": "Compute a receipt again, and compare it with its run.",
    "history": "All runs of a project by month, person, model and outcome.",
    "account": "The emissions table of training that other tools metered.",
    "reproduce": "Rebuild a paper's table from the checked-in specs.",
    "completion": "Print the completion script of a shell.",
    "export": "Write a run's weights in the Hugging Face Llama layout.",
    "import": "Start from a Hugging Face Llama checkpoint.",
}


# Objects that are made before garbage is looked for: a command's imports make many and throw none away, and to look
# through them every 700 takes an eighth of the time of a check.
GARBAGE_AFTER = 200_000
_HELP = {"help_option_names": ["-h", "--help"]}


def load_command(name: str) -> Callable[..., None]:
    """The function behind a command of the table, or the app of one with commands of its own; imported now."""
    module = f"{name}_" if iskeyword(name) else name
    return importlib.import_module(f".commands.{module}", __package__).command


def click_command(name: str, function: Callable[..., None]) -> Any:
    """A command as click has it, from what `load_command` gives."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    if isinstance(function, typer.Typer):
        app.add_typer(function, name=name, help=COMMANDS[name], context_settings=_HELP)
        return typer.main.get_group(app).commands[name]
    app.command(name, help=COMMANDS[name], context_settings=_HELP)(function)
    return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """Imports a command's module when it is asked for, not before."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Names in the order of the table, which is the order of work."""
        return list(COMMANDS)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first word names; for a mistyped one, the name that was meant."""
        ctx.meta["named"] = True
        near = get_close_matches(args[0], COMMANDS, n=1) if args[0] not in COMMANDS else []
        if near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, or for the help page a stub that carries its one line."""
        if cmd_name not in COMMANDS:
            return None
        only_listed = (ctx.resilient_parsing and not ctx.meta.get("named")) or ctx.meta.get("listing")
        return click_command(cmd_name, (lambda: None) if only_listed else load_command(cmd_name))

    def invoke(self, ctx: Any) -> Any:
        """Run the command. A reader that has left (`| head`) is no error, and what it did not read is dropped."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise typer.Exit(Exit.DONE) from error
        finally:
            _flush()

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List commands from the table alone."""
        ctx.meta["listing"] = True
        super().format_help(ctx, formatter)


app = typer.Typer(
    cls=LazyGroup, add_completion=False, no_args_is_help=True, rich_markup_mode=None, context_settings=_HELP
)


def _version(asked: bool) -> None:
    if asked:
        from . import __version__

        typer.echo(f"trainwright {__version__}")
        raise typer.Exit


@app.callback(help="Trainwright: one spec in; a checked plan, its cost, a launched run and its emissions table out.")
def root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Options before the command."""


def _flush() -> None:
    """Print what is left, or nowhere: Python would complain about a closed pipe while it leaves."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _take_any_text() -> None:
    """Print what the locale's encoding lacks as question marks instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _say_missing(error: ModuleNotFoundError) -> Exit:
    """One line on which extra brings a package; any other missing module is an internal error."""
    from .commands.output import print_problems, report_fault
    from .spec.extras import needs

    problem = needs(error.name or "")
    if problem is None:
        report_fault(error)
        return Exit.FAULT
    print_problems([problem])
    return Exit.INPUT


def main() -> None:
    """Run the command line. Exit codes: `spec/exit_codes.py`."""
    _take_any_text()
    guard_screens()
    # pydantic would look through every installed package for plugins, which takes longer than most checks do.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")
    gc.set_threshold(GARBAGE_AFTER)
    if "_TRAINWRIGHT_COMPLETE" in os.environ:  # a shell asks; otherwise nothing of it is imported
        from typer.completion import completion_init  # pyright: ignore[reportPrivateImportUsage] - it has no other name

        completion_init()
    try:
        app()
    except InputError as error:
        from .commands.output import print_problems

        print_problems(error.problems)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(Exit.INTERRUPTED)
    except ModuleNotFoundError as error:
        sys.exit(_say_missing(error))
    except OSError as error:
        from .commands.output import report_unusable

        sys.exit(report_unusable(error))
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback reaches the user
        from .commands.output import report_fault

        report_fault(error)
        sys.exit(Exit.FAULT)

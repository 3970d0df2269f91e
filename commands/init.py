"""`trainwright init`: a commented spec from a few questions, or from options alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.check import check_files
from ..compiler.help.init_spec import Answers, starter_spec
from ..spec.problem import InputError
from .output import print_problems


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = Path("spec.yaml"),
    name: Annotated[str, typer.Option(help="Name of the run; default: the name of the model.")] = "",
    model: Annotated[str, typer.Option(help="A model preset.")] = "",
    cluster: Annotated[str, typer.Option(help="A cluster preset.")] = "",
    gpus: Annotated[int | None, typer.Option(help="Devices; default: the preset's.", min=1)] = None,
    data: Annotated[str, typer.Option(help="Glob of the training text, or python:stdlib.")] = "",
    tokens: Annotated[str, typer.Option(help="Training tokens, e.g. 2T; default: 20 a parameter.")] = "",
    region: Annotated[str, typer.Option(help="Where the power comes from, e.g. fr or us-va.")] = "",
) -> None:
    """Write a first spec. Asks for what is not given, when somebody is there to answer."""
    if path.exists():
        raise InputError.one("TW101", f"{path} is already there", "Name another file, or remove it first.")
    model = model or _ask("Model preset", "ladder-2m")
    answers = Answers(
        name=name or model,
        model=model,
        cluster=cluster or _ask("Cluster preset", "local-cpu"),
        gpus=gpus,
        data=data or _ask("Training text (a glob next to the spec)", "python:stdlib"),
        tokens=tokens,
        region=region or _ask("Where the power comes from (fr, de, us-va, ...)", ""),
    )
    if not answers.region:
        raise InputError.one("TW211", "no place is given for the carbon intensity", "Add for example --region fr.")
    path.write_text(starter_spec(answers), encoding="utf-8")
    problems, _ = check_files([path])
    if any(problem.severity == "error" for problem in problems):
        path.unlink()  # an answer was wrong: nothing is left that would have to be removed before the next try
        raise InputError(problems)
    print_problems(problems)
    print(f"wrote {path}; next: trainwright check {path}, trainwright estimate {path}")


def _ask(question: str, default: str) -> str:
    """The answer of whoever sits at the terminal, else the default."""
    if not sys.stdin.isatty():
        return default
    return typer.prompt(question, default=default or None)

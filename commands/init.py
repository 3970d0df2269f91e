"""`trainwright init`: a commented spec from a few questions, or from options alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.check import check_files
from ..compiler.help.init_spec import Answers, starter_spec
from ..compiler.help.interview import Question, interview
from ..spec.atomic_files import write_atomically
from ..spec.foreign_files import read_json
from ..spec.problem import InputError, Problem
from .output import print_problems


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")] = Path("spec.yaml"),
    name: Annotated[str, typer.Option(help="Name of the run; default: the name of the model.")] = "",
    model: Annotated[str, typer.Option(help="A model preset, or a size such as 350M.")] = "",
    cluster: Annotated[str, typer.Option(help="A cluster preset or a site.")] = "",
    gpus: Annotated[str, typer.Option(metavar="N", help="Devices; default: enough for the model.")] = "",
    data: Annotated[str, typer.Option(help="Glob of the training text, or python:stdlib.")] = "",
    tokens: Annotated[str, typer.Option(help="Training tokens, e.g. 2T; default: 20 a parameter.")] = "",
    region: Annotated[str, typer.Option(help="Where the power comes from, e.g. fr or us-va.")] = "",
    power_cap: Annotated[str, typer.Option(help="Power cap of a device, e.g. 350 W; default: the cluster's.")] = "",
    target: Annotated[str, typer.Option(help="local or slurm; default: local on this machine's CPU.")] = "",
) -> None:
    """Write a first spec. Asks for what is not given, when somebody is there to answer.

    Each answer is checked when it is given and kept beside FILE, so that a later `init` of the same FILE resumes.
    """
    if path.exists():
        raise InputError.one("TW101", f"{path} is already there", "Name another file, or remove it first.")
    options = {
        "name": name, "model": model, "cluster": cluster, "gpus": gpus, "data": data, "tokens": tokens,
        "region": region, "power_cap": power_cap, "target": target,
    }  # fmt: skip
    answers = _asked(path, options) if sys.stdin.isatty() else interview(options, _default, _refuse, _forget)
    path.write_text(starter_spec(answers), encoding="utf-8")
    problems, _ = check_files([path])
    print_problems(problems)
    print(f"wrote {path}; next: trainwright check {path}, trainwright estimate {path}")


def _asked(path: Path, options: Mapping[str, str]) -> dict[str, str]:
    """The answers of whoever sits at the terminal; those of an interview that was left are not asked for again."""
    draft = path.with_name(f".{path.name}.answers")
    kept = _kept(draft)
    given = {key: value or kept.get(key, "") for key, value in options.items()}
    if kept:
        print("resuming; answered before: " + ", ".join(f"{key} {value}" for key, value in kept.items()))

    def keep(answers: Answers) -> None:
        write_atomically(draft, json.dumps(answers).encode())

    try:
        answers = interview(given, _prompt, lambda _, problems: _say(problems), keep)
    except (typer.Abort, KeyboardInterrupt):
        print(f"\nyour answers are kept in {draft}; to resume: trainwright init {path}", file=sys.stderr)
        raise
    draft.unlink()
    return answers


def _kept(draft: Path) -> dict[str, str]:
    """The answers of an interview that was left; none where `init` did not write the file."""
    try:
        match read_json(draft, 65536):
            case dict() as found:
                return {str(key): value for key, value in found.items() if isinstance(value, str)}
            case _:
                return {}
    except (OSError, ValueError):
        return {}


def _prompt(question: Question, answers: Answers) -> str:
    print(f"\n{question.text}: {question.choices(answers)}")
    return typer.prompt(">", default=question.default(answers) or None, prompt_suffix=" ").strip()


def _say(problems: list[Problem]) -> None:
    for problem in problems:
        print(f"  {problem.message}. {problem.remedy}")


def _default(question: Question, answers: Answers) -> str:
    """The answer where nobody is there. Raises InputError where there is none: nothing is known about the place."""
    if question.key == "region":
        raise InputError.one("TW211", "no place is given for the carbon intensity", "Add for example --region fr.")
    return question.default(answers)


def _refuse(question: Question, problems: list[Problem]) -> None:
    """Raise InputError with what is wrong with an option; the line of a file that nobody wrote is left out."""
    option = f"--{question.key.replace('_', '-')}"
    raise InputError([Problem(item.code, item.severity, item.message, item.remedy, option) for item in problems])


def _forget(answers: Answers) -> None:
    """Options are in the shell's history."""

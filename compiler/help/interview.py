"""The questions of `init`: each with its choices and a default, and each answer checked when it is given.

An answer is right when the spec that it makes, with defaults for what was not asked yet, checks without an error. So
the spec of all answers does too, and a wrong answer is reported at once, in the words of `check`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...spec.hardware import gpu
from ...spec.problem import InputError, Problem
from ..check import check_files
from ..load.presets import presets
from ..load.sites import sites
from .init_spec import Answers, data_of, devices_of, machine_of, model_of, starter_spec, target_of, tokens_of

_MOST_NODES = 1024  # searched for a number of devices that holds the model


@dataclass(frozen=True, slots=True)
class Question:
    """A question: what is asked, which answers there are, and the default that goes with the answers before it."""

    key: str
    text: str
    choices: Callable[[Answers], str]
    default: Callable[[Answers], str]
    is_asked: Callable[[Answers], bool] = lambda answers: True  # noqa: ARG005 - most are asked always


def problems(answers: Answers) -> list[Problem]:
    """The errors of the spec that these answers make, with defaults for the others."""
    try:
        text = starter_spec(answers)
    except InputError as error:
        return list(error.problems)
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "spec.yaml"
        draft.write_text(text, encoding="utf-8")
        return [problem for problem in check_files([draft])[0] if problem.severity == "error"]


def interview(
    given: Mapping[str, str],
    ask: Callable[[Question, Answers], str],
    refuse: Callable[[Question, list[Problem]], object],
    keep: Callable[[Answers], object],
) -> dict[str, str]:
    """Every answer, asked for until it is right; those `given` are asked for only where they are wrong.

    `refuse` gets the reason why an answer is not taken, `keep` all answers after each one that is. Raises InputError
    for a name that no run can have.
    """
    answers = {"name": given["name"]} if given.get("name") else {}
    if found := problems(answers):
        raise InputError(found)
    for question in QUESTIONS:
        if not question.is_asked(answers):
            continue
        answer = given.get(question.key) or ask(question, answers)
        while found := problems(answers | {question.key: answer}):
            refuse(question, found)
            answer = ask(question, answers)
        answers[question.key] = answer
        keep(answers)
    return answers


def _devices(answers: Answers) -> str:
    """The preset's number of devices, or the smallest number of whole nodes that holds the model."""
    machine, nodes = machine_of(answers), 1
    count = machine.gpus
    while problems({**answers, "gpus": str(count)}) and nodes <= _MOST_NODES:
        count, nodes = machine.per_node * nodes, nodes * 2
    return str(count)


def _caps(answers: Answers) -> str:
    power = gpu(machine_of(answers).gpu).power
    limits = f"{power.lowest:.0f} W to {power.highest:.0f} W; " if power else ""
    return f"{limits}none: the cluster's own"


def _targets(answers: Answers) -> str:
    one = devices_of(answers) <= machine_of(answers).per_node
    return f"{'local, ' if one else ''}slurm; for ssh and kubernetes change `launch` afterwards"


QUESTIONS = (
    Question(
        "model",
        "Model",
        lambda _: f"{', '.join(presets('model'))}; or a size such as 350M",
        lambda _: "ladder-2m",
    ),
    Question(
        "cluster",
        "Cluster or site",
        lambda _: ", ".join([*presets("cluster"), *sites()]),
        lambda answers: machine_of(answers).name,
    ),
    Question(
        "gpus",
        "Devices",
        lambda answers: f"{machine_of(answers).per_node} a node ({machine_of(answers).gpu})",
        _devices,
    ),
    Question("data", "Training text", lambda _: "a glob next to the spec, or python:stdlib", data_of),
    Question(
        "tokens",
        "Training tokens",
        lambda answers: f"e.g. 2T; compute-optimal for {model_of(answers).name}: 20 a parameter (arXiv 2203.15556)",
        tokens_of,
    ),
    Question("region", "Where the power comes from", lambda _: "a country or state: fr, de, us-va, ...", lambda _: ""),
    Question(
        "power_cap",
        "Power cap of a device",
        _caps,
        lambda _: "none",
        lambda answers: not machine_of(answers).on_cpu,
    ),
    Question("target", "What starts the run", _targets, target_of),
)

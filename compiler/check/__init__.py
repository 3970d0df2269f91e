"""The second stage: every rule over a loaded spec. One file a rule; its docstring is its documentation.

A rule module has `CODE`, a docstring and `check(loaded)`, which yields findings. The first digit of the code is its
severity: TW2 and TW3 errors, TW4 warnings, TW5 notes. A rule that crashes becomes the finding TW000 and hides no other.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ...spec.problem import InputError, Problem, Severity
from ..load import Loaded, load, load_all
from . import (
    bandwidth,
    batch,
    batch_rounding,
    batch_warmup,
    branch,
    carbon,
    checkpoint,
    corpus_exists,
    corpus_overlap,
    corpus_readable,
    corpus_size,
    degrees,
    described_device,
    device,
    exportable,
    final_rate,
    heads,
    initial_tokenizer,
    interconnect,
    launch,
    learning_rate,
    limit_at_risk,
    limit_broken,
    limit_unknown,
    limit_useless,
    low_final_rate,
    memory,
    mixture_weights,
    nodes,
    own_device,
    planned_batch,
    planned_warmup,
    power_cap,
    precision,
    region,
    rope_scaling,
    schedule,
    scopes,
    secret_values,
    sequence,
    signal_lead,
    slurm_options,
    source_epochs,
    stages,
    tensor_divides,
    tensor_node,
    token_ids,
    tokenizer,
    tokenizer_file,
    tokens_per_parameter,
    unused,
    vocabulary,
    warmup,
    window,
    zero,
)
from .finding import Finding, place_of

SEVERITIES: dict[str, Severity] = {"2": "error", "3": "error", "4": "warning", "5": "note"}
CRASHED = "TW000"
PACKAGE = Path(__file__).parents[2]


class Rule(Protocol):
    """What a rule module offers."""

    __doc__: str | None

    @property
    def CODE(self) -> str:  # noqa: N802 - a constant of the module
        """The code of its findings."""
        ...

    @staticmethod
    def check(loaded: Loaded) -> Iterable[Finding]:
        """The findings of this rule about one spec."""
        ...


RULES: tuple[Rule, ...] = (
    device,
    described_device,
    region,
    carbon,
    heads,
    rope_scaling,
    window,
    tensor_divides,
    stages,
    batch,
    batch_warmup,
    branch,
    nodes,
    sequence,
    tokenizer,
    tokenizer_file,
    initial_tokenizer,
    degrees,
    power_cap,
    interconnect,
    precision,
    schedule,
    scopes,
    limit_unknown,
    limit_useless,
    mixture_weights,
    token_ids,
    corpus_readable,
    zero,
    launch,
    slurm_options,
    secret_values,
    signal_lead,
    learning_rate,
    final_rate,
    low_final_rate,
    exportable,
    warmup,
    vocabulary,
    tensor_node,
    bandwidth,
    unused,
    checkpoint,
    corpus_size,
    corpus_overlap,
    tokens_per_parameter,
    corpus_exists,
    source_epochs,
    own_device,
)
# Rules that need a spec which is otherwise right: they plan it.
PLANNED: tuple[Rule, ...] = (memory, planned_batch, planned_warmup, batch_rounding, limit_broken, limit_at_risk)


def check(loaded: Loaded) -> list[Problem]:
    """Every finding of every rule about one spec."""
    problems = [problem for rule in RULES for problem in _run(rule, loaded)]
    if not any(problem.severity == "error" for problem in problems):
        problems += [problem for rule in PLANNED for problem in _run(rule, loaded)]
    return problems


def broken_rules(loaded: Loaded) -> list[Problem]:
    """The errors about one spec, those that only a plan of it shows left out: for a sweep over many variants."""
    return [problem for rule in RULES for problem in _run(rule, loaded) if problem.severity == "error"]


def check_files(paths: Iterable[Path], sets: Iterable[str] = ()) -> tuple[list[Problem], list[str]]:
    """The problems of all specs at `paths`, those that do not load included, and the names of those that do."""
    overrides = tuple(sets)
    problems: list[Problem] = []
    names: list[str] = []
    for path in paths:
        try:
            found = {loaded.spec.name: check(loaded) for loaded in load_all([path], overrides)}
            problems += by_spec(found)
            names += found
        except InputError as error:
            problems += error.problems
    return problems, names


Warn = Callable[[list[Problem]], object]  # what is done with the warnings and notes about specs that have no error


def no_warning(problems: list[Problem]) -> None:
    """For whoever has `check` run apart."""
    del problems


def load_checked(paths: Iterable[Path], sets: Iterable[str] = (), warn: Warn = no_warning) -> list[Loaded]:
    """The specs at `paths`, matrices expanded, for whoever plans or estimates them: none of them has an error.

    Raises InputError with the problems of all of them, and RuntimeError when a rule crashed.
    """
    found = load_all(paths, sets)
    problems: list[Problem] = []
    warnings: dict[str, list[Problem]] = {}
    for loaded in found:
        try:
            warnings[loaded.spec.name] = require_no_errors(loaded)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    warn(by_spec(warnings))
    return found


def load_checked_one(path: Path, sets: Iterable[str] = (), *, limits: bool = True) -> Loaded:
    """The one spec at `path`, without an error. Raises as `load_checked` and `load` do.

    `limits=False` leaves out whether it keeps its limits, for who searches what does.
    """
    loaded = load(path, sets)
    require_no_errors(loaded if limits else replace(loaded, spec=loaded.spec.model_copy(update={"limits": None})))
    return loaded


def by_spec(found: Mapping[str, Iterable[Problem]], total: int = 0) -> list[Problem]:
    """The problems of the specs of one file; one that only some of a matrix of `total` have says which.

    `total` is the number of entries of `found` where it is not given.
    """
    owners: dict[Problem, list[str]] = {}
    for name, problems in found.items():
        for problem in dict.fromkeys(problems):
            owners.setdefault(problem, []).append(name)
    return [
        problem
        if len(names) == (total or len(found))
        else replace(problem, message=f"{', '.join(names)}: {problem.message}")
        for problem, names in owners.items()
    ]


def require_no_errors(loaded: Loaded) -> list[Problem]:
    """The warnings and notes about a spec without errors. Raises InputError with everything when there is an error.

    Raises RuntimeError when a rule crashed: an internal error, not the spec's.
    """
    problems = check(loaded)
    crashed = [problem.message for problem in problems if problem.code == CRASHED]
    if crashed:
        raise RuntimeError("; ".join(crashed))
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return problems


def _run(rule: Rule, loaded: Loaded) -> list[Problem]:
    try:
        return [_problem(rule.CODE, finding, loaded) for finding in rule.check(loaded)]
    except Exception as error:  # noqa: BLE001 - whatever a rule does wrong must not hide the other rules' findings
        frames = traceback.extract_tb(error.__traceback__)
        frame = [item for item in frames if Path(item.filename).is_relative_to(PACKAGE)][-1]
        where = f"{Path(frame.filename).relative_to(PACKAGE)}:{frame.lineno}"
        message = f"the check {rule.CODE} crashed: {type(error).__name__}: {error} ({where})"
        return [Problem(CRASHED, "error", message, "This is a bug in Trainwright; please report it with the spec.")]


def _problem(code: str, finding: Finding, loaded: Loaded) -> Problem:
    place = place_of(finding.path, loaded)
    return Problem(code, SEVERITIES[code[2]], finding.message, finding.remedy, finding.path, place)

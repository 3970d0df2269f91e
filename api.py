"""What other programs may call: `trainwright.load`, `check`, `plan`, `estimate`, `compile` and `report`.

Values come out frozen and typed. A mistake of the caller's (a spec, a folder, a name) raises `InputError`, whose
`problems` have code, place, message and remedy. Nothing prints, exits, or touches the network. Names that are not in
`__all__` may change.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from types import ModuleType

from .compiler.check import Warn, check_files, load_checked, no_warning
from .compiler.check import load_checked_one as _load_checked_one
from .compiler.load import Loaded
from .compiler.plan.estimate import predict
from .compiler.plan.layout_search import Search, search
from .report.values import Report
from .spec.estimate import Estimate
from .spec.problem import InputError, Problem

__all__ = [
    "Estimate",
    "InputError",
    "Loaded",
    "Problem",
    "Report",
    "Search",
    "check",
    "compile",
    "estimate",
    "load",
    "load_all",
    "plan",
    "report",
    "write_bundle",
]

Source = Loaded | str | PathLike[str]


def load(path: str | PathLike[str], sets: Iterable[str] = ()) -> Loaded:
    """The one spec at `path`, without an error; `sets` are overrides like `cluster.power_cap=350 W`.

    Raises InputError with every problem of it, also where it is a matrix of several.
    """
    return _load_checked_one(Path(path), sets)


def load_all(paths: Iterable[str | PathLike[str]], sets: Iterable[str] = (), warn: Warn = no_warning) -> list[Loaded]:
    """The specs at `paths`, matrices expanded; `warn` is given their warnings and notes. Raises InputError."""
    return load_checked([Path(path) for path in paths], sets, warn)


def check(*paths: str | PathLike[str], sets: Iterable[str] = ()) -> list[Problem]:
    """Every problem of every spec at `paths`: errors, warnings and notes. Raises nothing for what is wrong in them."""
    return check_files([Path(path) for path in paths], sets)[0]


def plan(spec: Source, stack: str | None = None, *, everything: bool = False) -> Search:
    """Every legal layout with bytes a device and seconds a step, best first; `best.layout` is the chosen one.

    `stack` asks for another published software; `everything` adds layouts that it cannot run. Raises InputError.
    """
    return search(_loaded(spec).spec, stack, everything=everything)


def estimate(spec: Source, stack: str | None = None) -> Estimate:
    """Memory, time, energy, carbon and money, each with its range; units are in the names. Raises InputError."""
    return predict(_loaded(spec).spec, stack)


def compile(spec: Source, target: str | None = None, warn: Warn = no_warning) -> dict[str, str]:  # noqa: A001 - its name
    """File names and texts of the bundle, the same bytes for the same spec. Raises InputError."""
    from .compiler.pipeline import compile_bundle  # with Jinja, which no other stage needs

    return compile_bundle(_loaded(spec), target, warn)


def write_bundle(files: Mapping[str, str], folder: str | PathLike[str], *, force: bool = False) -> bool:
    """Make `folder` hold exactly `files`, at once; False when it did already.

    Raises InputError where the folder is no bundle, or (without `force`) was edited by hand.
    """
    from .compiler.render.write_bundle import write

    return write(files, Path(folder), force=force)


def report(*runs: str | PathLike[str]) -> Report:
    """What run folders say: tables, curves, energy and carbon, measured beside planned. Raises InputError."""
    from .report.build import build_report

    return build_report([Path(run) for run in runs])


def _loaded(spec: Source) -> Loaded:
    return spec if isinstance(spec, Loaded) else load(spec)


class _CallableReport(ModuleType):
    """`trainwright.report` is also the package of the report's modules, and stays it: that package is made callable."""

    __call__ = staticmethod(report)


sys.modules[f"{__package__}.report"].__class__ = _CallableReport

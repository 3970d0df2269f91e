"""What is made of each spec of a command: problems of all of them at once, and what they share said once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..compiler.check import Warn, by_spec
from ..compiler.load import Loaded
from ..spec.problem import InputError, Problem
from .output import print_problems

_T = TypeVar("_T")


def each_spec(loaded: Sequence[Loaded], make: Callable[[Loaded, Warn], _T]) -> list[_T]:
    """What `make` gives for each spec; warnings are printed. Raises InputError with the problems of all."""
    errors: dict[str, list[Problem]] = {}
    warnings: dict[str, list[Problem]] = {}
    made: list[_T] = []
    for item in loaded:
        name = item.spec.name
        try:
            made.append(make(item, warnings.setdefault(name, []).extend))
        except InputError as error:
            errors.setdefault(name, []).extend(error.problems)
    if errors:
        raise InputError(by_spec(errors, len(loaded)))
    print_problems(by_spec(warnings, len(loaded)))
    return made

"""What `trainwright launch` does with a matrix: under Slurm, all of its runs as one job array."""

from __future__ import annotations

import errno
import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ..api import Loaded
from ..compiler.check import Warn, by_spec
from ..compiler.pipeline import compile_bundle
from ..compiler.render.write_bundle import require_replaceable, write
from ..runtime.launch.admit import require_free, say_decision
from ..runtime.launch.launchable import Launchable
from ..runtime.launch.lock import hold
from ..runtime.launch.slurm_array import Element, groups, submit
from ..spec.plan import Plan
from ..spec.problem import InputError, Place, Problem
from ..spec.run_folder import RunFolder
from .each_spec import each_spec
from .options import refuse_options


def launch_matrix(
    source: Path, loaded: Sequence[Loaded], target: str | None, options: Mapping[str, object], *, dry_run: bool
) -> None:
    """Submit the runs of a matrix; finished ones are left out. Raises InputError that names each run with a problem.

    `options` are those that are about one run; a matrix with one of them is refused.
    """
    refuse_options(
        options,
        f"is about one run, and the matrix makes {len(loaded)}",
        "Pick one with --set, or leave the option away.",
    )
    elements = _compiled(source, loaded, target)
    wanted = _unfinished(elements)
    throttles = [item.spec.launch.slurm.array_throttle for item in loaded]
    throttle = min((number for number in throttles if number), default=None)
    if dry_run:
        _look(wanted, throttle)
        return
    with ExitStack() as locks:
        for element in wanted:
            make_run_folder(element.run.path)
            locks.enter_context(hold(element.run))
        wanted = _unfinished(wanted, locked=True)
        for element in wanted:
            write(element.launch.files, element.launch.bundle)
        arrays = submit(wanted, source.stem, throttle) if wanted else []
    for array in arrays:
        for number, element in enumerate(array.elements):
            print(f"{element.launch.plan.name}: Slurm job {array.train}_{number}, run folder {element.run.path}")
    if arrays:
        folders = shlex.join(str(element.run.path) for element in wanted)
        print(f"follow with: trainwright status {folders}\nstop with: trainwright stop {folders}")


def compiled(loaded: Loaded, target: str | None, bundle: Path, root: Path, warn: Warn) -> Launchable:
    """The bundle of a spec, still in memory."""
    files = compile_bundle(loaded, target, warn)
    require_replaceable(bundle)
    return Launchable(bundle, root, Plan.model_validate_json(files["plan.json"]), files)


def make_run_folder(folder: Path) -> None:
    """Make a run folder before anything is started. Raises OSError that names it."""
    try:
        str(folder.absolute()).encode()
    except UnicodeEncodeError as error:
        raise OSError(errno.EILSEQ, "the path is not UTF-8, as TensorBoard needs it", str(folder)) from error
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        why = errno.EROFS if os.statvfs(folder).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(why, os.strerror(why), str(folder))


def _compiled(source: Path, loaded: Sequence[Loaded], target: str | None) -> list[Element]:
    def element(item: Loaded, warn: Warn) -> Element:
        name = item.spec.name
        return Element(
            compiled(item, target, Path("build") / name, source.parent, warn), RunFolder(Path("runs") / name)
        )

    elements = each_spec(loaded, element)
    _require_slurm(source, elements)
    return elements


def _require_slurm(source: Path, elements: Iterable[Element]) -> None:
    names = [element.launch.plan.name for element in elements if element.launch.target != "slurm"]
    if names:
        message = f"only Slurm starts several runs at once, and this matrix has others: {', '.join(names)}"
        remedy = "Pick one with --set KEY=VALUE for each key of the matrix; of rows, for their first."
        raise InputError.one("TW111", message, remedy, "matrix", Place(str(source), 1, 1))


def _unfinished(elements: Sequence[Element], *, locked: bool = False) -> list[Element]:
    """Those that have something left to do. Raises InputError with all that keeps any of them from starting."""
    errors: dict[str, list[Problem]] = {}
    wanted: list[Element] = []
    for element in elements:
        try:
            require_free(element.run, locked=locked)
            decision = element.launch.decide(element.run)
        except InputError as error:
            errors[element.launch.plan.name] = list(error.problems)
            continue
        if not locked:
            say_decision(decision, element.run)
        wanted += [] if decision.finished else [element]
    if errors:
        raise InputError(by_spec(errors, len(elements)))
    return wanted


def _look(elements: Sequence[Element], throttle: int | None) -> None:
    """What a launch would do."""
    for alike in groups(elements):
        limit = f", at most {throttle} at once" if throttle else ""
        print(f"dry run: nothing is written; would submit an array of {len(alike)} jobs{limit}:")
        for element in alike:
            print(f"  {element.launch.plan.name}: bundle {element.launch.bundle}, run folder {element.run.path}")

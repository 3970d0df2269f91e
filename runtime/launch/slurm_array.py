"""A matrix under Slurm: its runs as one job array, each element a run with its own folder, bundle and log.

The jobs of an array are alike, so runs whose jobs differ (in their nodes, for example) go into an array each. As for
one run, a first array prepares the data: an element trains when the element of the same number has prepared. Both are
held until every run has its own copy of its bundle, so what is refused leaves all runs as they were.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.problem import InputError, Problem
from ...spec.run_folder import RunFolder
from .admit import admit
from .launchable import Launchable
from .slurm_refusal import suspects

_ARRAYS = ".arrays"  # beside the runs
_JOBS = "jobs"  # what Slurm calls an array's jobs
_TIMEOUT = 120  # seconds for Slurm's controller to take a job
_SCRIPT = """\
#!/usr/bin/env bash
# An element of the matrix {name}: the run that the link of its number leads to.
{directives}
set -euo pipefail
run=$(cd -- "$1/$SLURM_ARRAY_TASK_ID" && pwd -P)
exec bash "$run/bundle/{script}" "$run/bundle" "$run" "$2"
"""


@dataclass(frozen=True, slots=True)
class Element:
    """One run of a matrix."""

    launch: Launchable
    run: RunFolder

    def directives(self, script: str) -> tuple[str, ...]:
        """What a batch script of its bundle asks of Slurm, the name of the job left out."""
        lines = self.launch.files[script].splitlines()
        asked = (line for line in lines if line.startswith("#SBATCH "))
        return tuple(line for line in asked if not line.startswith("#SBATCH --job-name="))


@dataclass(frozen=True, slots=True)
class Array:
    """A submitted array and the runs that are its elements, in the order of their numbers."""

    folder: Path
    prepare: str
    train: str
    elements: tuple[Element, ...]


def submit(elements: Sequence[Element], name: str, throttle: int | None) -> list[Array]:
    """Submit the runs, at most `throttle` of an array at once. The locks of all runs must be held, bundles written.

    Raises InputError (TW707, TW708), OSError or CalledProcessError; then nothing is left in the queue.
    """
    if shutil.which("sbatch") is None:
        raise InputError.one("TW707", "sbatch is not installed here", "Launch from a login node of the cluster.")
    for folder in {element.run.path.absolute().parent / _ARRAYS for element in elements}:
        remove_finished(folder)
    with ExitStack() as undo:
        arrays = [_submitted(group, name, throttle, undo) for group in groups(elements)]
        for element in elements:
            admit(element.launch.bundle, element.run, element.launch.root, elsewhere=element.launch.elsewhere)
        for array in arrays:
            write_atomically(array.folder / _JOBS, f"{array.prepare},{array.train}\n".encode())
            for number, element in enumerate(array.elements):
                (element.run.path / "logs").mkdir(exist_ok=True)
                write_atomically(element.run.path / "slurm-job", f"{array.train}_{number}\n".encode())
            _slurm("scontrol", "release", array.prepare)
        undo.pop_all()
    return arrays


def remove_finished(arrays: Path) -> None:
    """Remove the folders of arrays of which Slurm has no job any more; one that is being submitted has none yet."""
    for note in arrays.glob(f"*/{_JOBS}"):
        words = ["squeue", "--noheader", f"--jobs={note.read_text(encoding='utf-8').strip()}", "--format=%i"]
        known = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
        gone = known.returncode == 0 or "Invalid job id" in known.stderr  # else Slurm does not answer
        if gone and not known.stdout.strip():
            shutil.rmtree(note.parent, ignore_errors=True)


def groups(elements: Sequence[Element]) -> Iterator[tuple[Element, ...]]:
    """The runs whose jobs ask Slurm for the same, in order."""
    alike: dict[tuple[tuple[str, ...], ...], list[Element]] = {}
    for element in elements:
        alike.setdefault(tuple(map(element.directives, ("slurm.sbatch", "prepare.sbatch"))), []).append(element)
    yield from map(tuple, alike.values())


def _submitted(elements: tuple[Element, ...], name: str, throttle: int | None, undo: ExitStack) -> Array:
    folder = _folder(elements, name)
    last = len(elements) - 1
    limited = f"--array=0-{last}" + (f"%{throttle}" if throttle else "")
    prepare = _sbatch(elements, folder, "prepare.sbatch", "--hold", f"--job-name={name}-prepare", f"--array=0-{last}")
    undo.callback(_slurm, "scancel", prepare)
    after = f"--dependency=aftercorr:{prepare}"
    train = _sbatch(elements, folder, "slurm.sbatch", after, f"--job-name={name}", limited)
    undo.callback(_slurm, "scancel", train)
    return Array(folder, prepare, train, elements)


def _folder(elements: tuple[Element, ...], name: str) -> Path:
    """The folder by which a number finds its run: a link each, and the two scripts.

    It is named after its runs, so that a job which is queued again finds the same ones, whatever was launched since.
    """
    runs = [element.run.path.absolute() for element in elements]
    digest = hashlib.sha256("\n".join(map(str, runs)).encode(errors="surrogateescape")).hexdigest()
    folder = runs[0].parent / _ARRAYS / digest[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for number, run in enumerate(runs):
        link = folder / str(number)
        if not link.is_symlink():
            link.symlink_to(run)
    for script in ("prepare.sbatch", "slurm.sbatch"):
        directives = "\n".join(elements[0].directives(script))
        text = _SCRIPT.format(name=name, directives=directives, script=script)
        write_atomically(folder / script, text.encode(errors="surrogateescape"))
    return folder


def _sbatch(elements: tuple[Element, ...], folder: Path, script: str, *options: str) -> str:
    """The number of the array that Slurm took. Raises InputError with its words when it refused."""
    logs = f"--output={folder}/%a/logs/%x-%A_%a.log"
    root = str(elements[0].launch.root.absolute())
    words = ["sbatch", "--parsable", f"--chdir={folder}", logs, *options, str(folder / script), str(folder), root]
    environment = os.environ | {"TRAINWRIGHT_PYTHON": sys.executable}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=_TIMEOUT)
    if done.returncode:
        raise InputError([_refused(elements, done.stderr)])
    sys.stderr.write(done.stderr)  # a site's remarks on a job that it took
    return done.stdout.strip().partition(";")[0]


def _refused(elements: tuple[Element, ...], said: str) -> Problem:
    names = ", ".join(element.launch.plan.name for element in elements)
    lines = suspects(said, elements[0].launch.files["spec.lock.yaml"])
    remedy = "\n".join(["the settings of the spec that this can be about:", *lines])
    return Problem("TW708", "error", f"Slurm refused the jobs of {names}: {said.strip()}", remedy)


def _slurm(*words: str) -> None:
    subprocess.run(words, check=True, timeout=_TIMEOUT, stdout=subprocess.DEVNULL)

"""The gate: whether a bundle may start or resume the run of a folder, decided before anything is written.

`decide` reads and compares; `admit` decides under the run's lock and then puts the bundle into the run folder, where
restarts, requeues and queued jobs read it. A launch that is refused has changed nothing.
`python -m trainwright.runtime.launch.admit --bundle DIR --run DIR --root DIR [--look]` prints the verdict.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.atomic_folder import read_folder, replace_folder
from ...spec.exit_codes import Exit
from ...spec.manifest import MANIFEST, changed_files, is_bundle
from ...spec.plan import Plan, read_plan
from ...spec.problem import InputError, Problem
from ...spec.run_folder import RunFolder
from ..checkpoint.branch_point import changes_of_branch, trunk_checkpoint
from ..checkpoint.saved_run import SavedRun, newest_saved_run, plan_of
from ..checkpoint.settings_diff import SettingChange, refusals
from ..checkpoint.signing_key import signing_key
from ..data.digests import data_digests, differences
from ..prepare.moved import moved_elsewhere
from .beginning import require_beginning
from .changed_course import changed_course, changed_settings
from .finished import finished
from .locate import scheduled
from .lock import hold, in_use, is_held, owner


@dataclass(frozen=True, slots=True)
class Decision:
    """What a launch that may go ahead does: nothing (`finished` says why), or what `news` says."""

    finished: str = ""
    news: tuple[str, ...] = ()


def decide(plan: Plan, run: RunFolder, root: Path, *, elsewhere: bool = False) -> Decision:
    """Whether `plan` may start or resume `run`; reads only. `elsewhere`: another Python, in a container, will train.

    Raises InputError with everything that keeps it from doing so.
    """
    saved = newest_saved_run(run, signing_key(plan.training.checkpoint))
    if saved is None:
        require_beginning(plan, run)
        return _branch(plan, root, elsewhere=elsewhere)
    found, on_change = changes_of_branch(
        changed_settings(saved, plan, elsewhere=elsewhere), plan, run, saved.position.step
    )
    problems = refusals(found, on_change)
    problems += differences(run, saved.digests, data_digests(run))
    if not problems:
        problems = moved_elsewhere([change for change in found if change.moves], plan, run, root)
    if problems:
        raise InputError(problems)
    if done := finished(plan, run, saved):
        return Decision(finished=done)
    return Decision(news=tuple(_news(saved, plan, found)))


def _branch(plan: Plan, root: Path, *, elsewhere: bool) -> Decision:
    """The decision about a run that begins: at once, or with the checkpoint of another run."""
    trunk = trunk_checkpoint(plan, root)
    if trunk is None:
        return Decision()
    changes = changed_settings(trunk, plan, elsewhere=elsewhere)
    found = [change for change in changes if not change.key.startswith("extends_run")]
    if problems := refusals(found, "apply"):
        raise InputError(problems)
    return Decision(news=tuple(_news(trunk, plan, found)))


def _news(saved: SavedRun, plan: Plan, found: Sequence[SettingChange]) -> list[str]:
    position = saved.position
    lines = [f"resuming from step {position.step:,}: {position.samples:,} of {plan.samples:,} samples are trained on"]
    lines += [str(change) for change in found if not change.harmless]
    return lines + list(changed_course(plan_of(saved), plan, position))


def require_free(run: RunFolder, *, locked: bool = False) -> None:
    """Raise InputError while anything of `run` runs or waits; `locked`: its lock is ours. Writes nothing."""
    if not locked and is_held(run):
        raise in_use(run, owner(run))
    if (place := scheduled(run)) is not None:
        raise in_use(run, place.description)


def admit(bundle: Path, run: RunFolder, root: Path, *, elsewhere: bool = False) -> Decision:
    """Decide, then leave the run with its own copy of `bundle`. The run's lock must be held.

    Raises InputError when the launch is refused, OSError when the copy cannot be written.
    """
    require_free(run, locked=True)
    decision = decide(read_plan(bundle), run, root, elsewhere=elsewhere)
    if not decision.finished and bundle.resolve() != run.bundle.resolve():
        _place(read_folder(bundle), run)
    return decision


def _place(files: dict[str, str], run: RunFolder) -> None:
    if is_bundle(run.bundle):
        if read_folder(run.bundle) == files:
            return
        if edited := changed_files(run.bundle):
            message = f"{run.bundle} was edited by hand: {', '.join(edited)}"
            raise InputError.one("TW703", message, "Put the change into the spec and remove the folder.", "--run")
    replace_folder(run.bundle, files)
    for name in (run.plan.name, run.estimate.name, MANIFEST):
        if name in files:
            write_atomically(run.path / name, files[name].encode(errors="surrogateescape"))


def main(arguments: Sequence[str] | None = None) -> Exit:
    """Print `finished` or `admitted`; with --look decide only."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("bundle", "run", "root"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--look", action="store_true", help="write nothing")
    parser.add_argument("--elsewhere", action="store_true", help="another Python will train")
    options = parser.parse_args(arguments)
    run = RunFolder(options.run)
    try:
        if options.look:
            require_free(run, locked=True)
            decision = decide(read_plan(options.bundle), run, options.root, elsewhere=options.elsewhere)
        else:
            with hold(run):
                decision = admit(options.bundle, run, options.root, elsewhere=options.elsewhere)
    except InputError as error:
        say_problems(error.problems)
        return error.exit_code
    say_decision(decision, run)
    sys.stdout.write("finished\n" if decision.finished else "admitted\n")
    return Exit.DONE


def say_decision(decision: Decision, run: RunFolder) -> None:
    """Report what an admitted launch does."""
    if decision.finished:
        say(f"{run.path} is finished: {decision.finished}")
    for line in decision.news:
        say(line)


def say_problems(problems: Sequence[Problem]) -> None:
    """Report why a launch is refused."""
    for problem in problems:
        say(f"{problem.code}: {problem.message}; {problem.remedy}")


def say(text: str) -> None:
    """A line for whoever launched, apart from what scripts read."""
    sys.stderr.write(f"trainwright: {text}\n")


if __name__ == "__main__":
    sys.exit(main())

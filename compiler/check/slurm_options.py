"""An option under `launch.slurm.options` is one that sbatch has, and none that Trainwright sets itself.

Names are compared with sbatch's own list, so that a mistyped one is found before a job waits in the queue for nothing.

Bad:

    launch: {target: slurm, slurm: {options: {wkey: nlp}}}

Good:

    launch: {target: slurm, slurm: {options: {wckey: nlp}}}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ...spec.facts import facts
from ..load import Loaded
from .finding import Finding

CODE = "TW331"


def check(loaded: Loaded) -> Iterator[Finding]:
    """Options of both jobs that sbatch does not know, or that the bundle sets from another key."""
    slurm = loaded.spec.launch.slurm
    yield from _options("launch.slurm.options", slurm.options)
    yield from _options("launch.slurm.prepare.options", slurm.prepare.options)


def _options(path: str, options: dict[str, str]) -> Iterator[Finding]:
    table = facts("slurm")
    flags, valued, ours = table["flags"], table["with_value"], table["ours"]
    for name, value in options.items():
        at = f"{path}.{name}"
        if name in ours:
            yield Finding(at, f"`{name}` is set by Trainwright", f"Remove it; it comes from {ours[name]}.")
        elif name not in flags and name not in valued:
            near = difflib.get_close_matches(name, [*flags, *valued], n=1, cutoff=0.6)
            remedy = f"Did you mean `{near[0]}`?" if near else "See `man sbatch` for its long options."
            yield Finding(at, f"sbatch has no option `{name}` (Slurm {table['source']['version']})", remedy)
        elif value and name not in valued:
            yield Finding(at, f"`{name}` takes no value", f'Write `{name}: ""`.')
        elif not value and name not in flags:
            yield Finding(at, f"`{name}` needs a value", f"Write `{name}: VALUE`.")

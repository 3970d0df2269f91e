"""A job is warned before its time limit, not before it starts.

`signal_lead` is the time to save a checkpoint in; Slurm counts it back from the end of the job, in at most 65,535 s.

Bad:

    launch: {target: slurm, time_limit: 1h, slurm: {signal_lead: 2h}}

Good:

    launch: {target: slurm, time_limit: 12h, slurm: {signal_lead: 20 min}}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ...spec.quantity import TIME
from ..load import Loaded
from .finding import Finding

CODE = "TW333"

LONGEST: int = figures("slurm")["longest_signal"]  # seconds: the largest `--signal` that Slurm takes


def check(loaded: Loaded) -> Iterator[Finding]:
    """A warning that is not shorter than the job, or longer than Slurm can say."""
    launch = loaded.spec.launch
    lead, limit = launch.slurm.signal_lead, launch.time_limit
    if lead is None:
        return
    shown = TIME.text(lead)
    if limit is not None and lead >= limit:
        message = f"the warning comes {shown} before the end of a job of {TIME.text(limit)}"
        yield Finding("launch.slurm.signal_lead", message, "Write a time shorter than `time_limit`.")
    elif lead > LONGEST:
        message = f"Slurm cannot warn {shown} ahead; it counts at most {LONGEST} s"
        yield Finding("launch.slurm.signal_lead", message, "Write at most 18h.")

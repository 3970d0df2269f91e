"""A preparation that several machines do together: what its steps do, and the log that each worker keeps.

`start` makes the tokenizer and reads the corpus once for its digest; workers make units, each its share; `close` makes
what a lost worker has left undone, and the dataset. A scheduler starts them, in this order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ...spec.events import PhaseEvent, read_events
from ..energy.phases import Phase
from ..logs.event_log import EventLog
from .job import Advance, Job
from .make_units import make_units
from .recorded_corpus import record_corpus
from .shards import make_shards, say_waiting
from .share import Step
from .train_tokenizer import make_tokenizer

Stages = tuple[tuple[Phase, Callable[[Job, Advance], str]], ...]
_LOGS = "prepare-{}.jsonl"  # below the run's logs: lines of several machines in one file could get lost


def read_corpus(job: Job, advance: Advance) -> str:
    """Leave the digest of the corpus for the workers, unless the run has its data already."""
    del advance
    if job.trained is None:
        record_corpus(job.run, job.stamps, job.fingerprint)
    return "read"


def make_share(job: Job, advance: Advance) -> str:
    """Make this worker's units of a dataset that is not there yet; what was done, in words."""
    if job.trained is not None or job.digest in job.store.digests:
        return "nothing to do"
    with job.store.preparing(job.digest, partial(say_waiting, job.digest), together=True):
        every = make_units(job, job.store.draft(job.digest), advance)
    return f"{len(job.share.of(every))} of {len(every)} units are done"


WHOLE_STAGES: Stages = (("tokenizer", make_tokenizer), ("data", make_shards))
STAGES: Mapping[Step, Stages] = {
    "all": WHOLE_STAGES,
    "start": (("tokenizer", make_tokenizer), ("data", read_corpus)),
    "units": (("data", make_share),),
    "close": WHOLE_STAGES,
}


def log_path(job: Job) -> Path:
    """Where this process logs: a worker apart from the run's events."""
    return job.run.path / "logs" / _LOGS.format(job.share.index) if job.share.step == "units" else job.run.events


def take_worker_logs(job: Job, log: EventLog) -> None:
    """Put what workers have logged of their time and energy into the run's events."""
    for path in sorted((job.run.path / "logs").glob(_LOGS.format("*"))):
        for event in read_events(path):
            if isinstance(event, PhaseEvent):
                log.write(event)
        path.unlink()

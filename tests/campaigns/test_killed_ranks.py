"""kill -9 of preparation and ranks at a random moment: the next start ends with the bits of an undisturbed run.

The processes are forks (forked_ranks.py), so that a case costs a second; `test_kills.py` has whole launches.
"""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.forked_ranks import GONE, Start, log_of, make_bundles, whole
from trainwright.tests.campaigns.runs import KINDS, LONGEST, compare


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A corpus, and a bundle for each kind of run."""
    make_bundles(at := tmp_path_factory.mktemp("ranks"))
    return at


@pytest.mark.timeout(20_000)
@pytest.mark.parametrize(
    "campaign", [1, pytest.param(1200, marks=pytest.mark.slow)], indirect=True, ids=["slice", "all"]
)
def test_ranks_that_are_killed_begin_again_to_the_same_bits(campaign, project) -> None:
    """Whenever they are killed, together or one before the other: every run ends, equal to the bit."""
    expected: dict[int, tuple[dict[str, object], float]] = {}
    unfinished: dict[int, RunFolder] = {}
    for luck in campaign.cases():
        kind = luck.randrange(len(KINDS)) if len(campaign.numbers) > 2 else 0
        if kind not in expected:
            expected[kind] = whole(project, kind)
        run = unfinished.setdefault(kind, RunFolder(project / campaign.case.replace(":", "-") / "t"))
        start = Start(project, kind, run)
        start.wait(time.monotonic() + luck.uniform(0, expected[kind][1] * luck.choice((0.2, 0.6))))
        if start.alive:
            campaign.count("kills")
            kill_apart(start, luck)
        elif start.code == 0:
            finish(campaign, unfinished.pop(kind), expected[kind][0])
        assert start.code in (0, GONE, -signal.SIGKILL), log_of(run).read_text()
    for kind, run in unfinished.items():
        start = Start(project, kind, run)
        start.wait(time.monotonic() + LONGEST)
        assert start.code == 0, log_of(run).read_text()
        finish(campaign, run, expected[kind][0])


def kill_apart(start: Start, luck: random.Random) -> None:
    """Kill one rank, and the others at once or a moment later, as a launcher does that notices."""
    first = luck.choice(sorted(start.alive))
    os.kill(first, signal.SIGKILL)
    time.sleep(luck.choice((0.0, luck.uniform(0, 0.3))))
    start.kill()


def finish(campaign, run: RunFolder, expected: dict[str, object]) -> None:
    """A run has ended."""
    compare(run, expected)
    campaign.count("runs ended")

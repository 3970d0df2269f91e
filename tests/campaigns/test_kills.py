"""kill -9 at a random moment on a random process of a launch: launched again, the run ends as an undisturbed one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.runs import KINDS, LONGEST, compare, content, make_project, start, wait


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A corpus, and a spec for each kind of run."""
    make_project(at := tmp_path_factory.mktemp("kills"))
    return at


def kill_one(process: subprocess.Popen[bytes], luck: random.Random) -> str:
    """Kill a random process of a launch, or all of them at once; the module that the victim ran."""
    with suppress(psutil.NoSuchProcess):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        chosen = family if luck.random() < 0.2 else [luck.choice(family)]
        names = [_module(victim) for victim in chosen]
        for victim in chosen:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGKILL)
        return names[0] if len(names) == 1 else "all"
    return "none left"


def _module(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        words = process.cmdline()
        if "-m" in words:
            return words[words.index("-m") + 1].removeprefix("trainwright.runtime.")
        return next((Path(word).name for word in words if word.endswith(".sh")), Path(words[0]).name if words else "-")
    return "gone"


@pytest.mark.timeout(20_000)
@pytest.mark.parametrize(
    "campaign", [1, pytest.param(300, marks=pytest.mark.slow)], indirect=True, ids=["slice", "all"]
)
def test_whoever_is_killed_the_run_ends_the_same(campaign, project) -> None:
    """Tokenizer, shards, losses, weights, optimizer and generators equal an undisturbed run's, whatever was killed."""
    expected: dict[int, dict[str, object]] = {}
    runs: dict[int, int] = {}
    for luck in campaign.cases():
        kind = luck.randrange(len(KINDS)) if len(campaign.numbers) > 2 else 0
        if kind not in expected:
            assert wait(start(project, kind, f"runs/whole-{kind}")) == 0
            expected[kind] = content(RunFolder(project / f"runs/whole-{kind}"))
        run = RunFolder(project / f"runs/{kind}-{runs.setdefault(kind, 0)}")
        process = start(project, kind, f"runs/{run.path.name}")
        with suppress(subprocess.TimeoutExpired):
            process.wait(luck.uniform(0.2, luck.choice((6.0, 20.0))))
        if process.poll() is None:
            campaign.count(f"kills of {kill_one(process, luck)}")
            if luck.random() < 0.5:  # the rest of the launch goes down as it will, or at once
                wait(process)
            else:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(LONGEST)
        if process.returncode == 0:
            compare(run, expected[kind])
            runs[kind] += 1
            campaign.count("runs ended")
    for kind, number in runs.items():
        run = RunFolder(project / f"runs/{kind}-{number}")
        assert wait(start(project, kind, f"runs/{run.path.name}")) == 0
        compare(run, expected[kind])
        campaign.count("runs ended")

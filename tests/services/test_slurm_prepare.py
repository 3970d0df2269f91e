"""A corpus like FineWeb's, prepared by a job array on two nodes of a real Slurm, and trained on by two runs."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainwright.spec.run_folder import RunFolder
from trainwright.tests.logged import logged_events
from trainwright.tests.services.slurm_lab import Slurm
from trainwright.tests.services.tiny import write_spec

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

LAUNCH = "{target: slurm, partition: low, time_limit: 10 min, slurm: {prepare: {nodes: 2}}}"
SOURCES = ("web/*.parquet", "web/*.jsonl.gz")


@pytest.fixture
def specs(project: Path) -> Path:
    """Two specs on tables with the columns text, id and url, and on compressed lines beside them."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((project / "corpus").glob("*.txt"))]
    web = project / "web"
    web.mkdir()
    half = len(texts) // 2
    ids = [f"<urn:uuid:{number}>" for number in range(half)]
    urls = [f"https://example.org/{number}" for number in range(half)]
    pq.write_table(pa.table({"text": texts[:half], "id": ids, "url": urls}), web / "000_00000.parquet")
    lines = "".join(json.dumps({"text": text, "id": number}) + "\n" for number, text in enumerate(texts[half:]))
    (web / "more.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    write_spec(project, LAUNCH, steps=20)
    sources = "[{path: 'web/*.parquet', licence: ODC-By-1.0}, {path: 'web/*.jsonl.gz'}]"
    text = (project / "tiny.yaml").read_text().replace("corpus/*.txt", sources)
    (project / "tiny.yaml").write_text(text)
    (project / "other.yaml").write_text(text.replace("name: tiny", "name: other").replace("2e-3", "1e-3"))
    return project


def trainwright(slurm: Slurm, project: Path, *words: str) -> str:
    """What a command prints that must succeed."""
    program = Path(sys.executable).with_name("trainwright")
    done = subprocess.run(
        (program, *words), cwd=project, env=slurm.environment, text=True, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def kill_worker(index: int, run: Path) -> None:
    """Kill the array task of that number as soon as it runs. Raises TimeoutError."""
    until = time.monotonic() + 200
    while time.monotonic() < until:
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "units" in words and str(run) in words and words[words.index("--index") + 1] == str(index):
                process.kill()
                return
        time.sleep(0.05)
    raise TimeoutError(f"no worker {index}")


def ended(slurm: Slurm, project: Path, name: str) -> RunFolder:
    """Wait until the last job of the run of that name has ended well."""
    run = RunFolder(project / "runs" / name)
    job = slurm.wait((run.path / "slurm-job").read_text().split()[0], "COMPLETED", "FAILED", "CANCELLED", seconds=300)
    logs = "\n".join(path.read_text() for path in sorted((run.path / "logs").glob("*.log")))
    assert job["JobState"] == "COMPLETED", logs
    return run


def test_two_runs_train_on_what_two_nodes_have_prepared(slurm: Slurm, specs: Path) -> None:
    """A killed worker's unit is made by the job that closes; two runs then prepare nothing, and report by source."""
    try:
        trainwright(slurm, specs, "data", "prepare", "tiny.yaml")
        kill_worker(1, specs / "runs" / "tiny")
        prepared = ended(slurm, specs, "tiny")
        assert not logged_events(prepared.events, "start")
        for spec in ("tiny.yaml", "other.yaml"):
            trainwright(slurm, specs, "launch", spec, "--set", "launch.slurm.prepare.nodes=1")
        first, second = ended(slurm, specs, "tiny"), ended(slurm, specs, "other")
    finally:
        slurm.clear()
    logs = {run: "".join(path.read_text() for path in (run.path / "logs").glob("*.log")) for run in (first, second)}
    assert "1 of 2 units are done" in logs[first]
    assert "data       written" in logs[first]
    assert "data       verified" in logs[first]
    assert f"data       found in {specs}/runs/.datasets" in logs[second]
    assert first.data.resolve() == second.data.resolve()
    for run in (first, second):
        assert [entry["path"] for entry in logged_events(run.events, "data")[-1]["sources"]] == list(SOURCES)
    assert len([event for event in logged_events(first.events, "phase") if event["name"] == "data"]) >= 3
    shown = trainwright(slurm, specs, "data", "show", first.data.resolve().name[:8], "--format", "csv")
    assert all(source in shown for source in (*SOURCES, "ODC-By-1.0"))
    trainwright(slurm, specs, "report", "runs/tiny", "runs/other")

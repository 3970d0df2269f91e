"""The process that prepares a run: what it leaves, what it says, and how it ends when something is wrong."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainwright.runtime.data.shards import read_index
from trainwright.runtime.prepare import __main__ as preparing
from trainwright.runtime.prepare.job import Job
from trainwright.spec.exit_codes import Exit
from trainwright.spec.sections import CorpusSource


def command(job) -> list[str]:
    """The command line for a job, whose bundle is written first."""
    bundle = job.root / "bundle"
    bundle.mkdir(exist_ok=True)
    (bundle / "plan.json").write_text(job.plan.model_dump_json())
    options = {"--bundle": bundle, "--run": job.run.path, "--root": job.root}
    return [sys.executable, "-m", "trainwright.runtime.prepare", *(str(x) for pair in options.items() for x in pair)]


def run(job) -> subprocess.CompletedProcess:
    """Prepare in a process of its own."""
    return subprocess.run(command(job), capture_output=True, text=True, timeout=100, check=False)


def test_it_prepares_and_tells_and_verifies_the_second_time(make_job):
    """Exit 0, both phases in the event log with their energy, a summary on screen; then nothing is made again."""
    job = make_job()
    first, second = run(job), run(job)
    assert (first.returncode, second.returncode) == (Exit.DONE, Exit.DONE), first.stderr + second.stderr
    assert "trained" in first.stderr
    assert "verified" in second.stderr
    index = read_index(job.run.data)
    assert f"{index.train[0].tokens:,} tokens of {index.train[0].documents:,} documents" in first.stderr
    events = [json.loads(line) for line in job.run.events.read_text().splitlines()]
    phases = [event for event in events if event["kind"] == "phase"]
    assert [event["name"] for event in phases] == ["tokenizer", "data"] * 2
    assert all(event["energy_kwh"] > 0 and not event["measured"] for event in phases)
    (source,) = next(event["sources"] for event in events if event["kind"] == "data")
    assert (source["tokens"], source["share"]) == (index.train[0].tokens, 1.0)
    assert source["epochs"] == pytest.approx(job.plan.data.tokens / index.train[0].tokens)


def test_wrong_text_ends_with_exit_2_and_its_line(make_job, project):
    """The user reads file, line, code, cause and remedy; no traceback, no data folder."""
    (project / "corpus" / "zz.jsonl").write_text('{"text": "fine"}\n{"txet": "typo"}\n')
    job = make_job()
    done = run(job)
    assert done.returncode == Exit.INPUT
    assert f"{project}/corpus/zz.jsonl:2: error TW836" in done.stderr
    assert "Name the field" in done.stderr
    assert "Traceback" not in done.stderr
    assert not job.run.data.exists()


def test_too_large_a_vocabulary_ends_with_exit_2(make_job):
    """The largest vocabulary that works is named, in the spec's terms."""
    done = run(make_job(vocabulary=9000))
    assert done.returncode == Exit.INPUT
    assert "tokenizer.vocab_size: a vocabulary of 9000 is larger than this corpus supports: at most" in done.stderr


def test_a_run_folder_that_cannot_be_written_is_an_input_error(make_job, tmp_path):
    """A file where the run folder should be: a message, no traceback."""
    (tmp_path / "run").write_text("")
    done = run(make_job())
    assert done.returncode == Exit.INPUT
    assert str(tmp_path / "run") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_log_that_is_a_link_is_an_input_error(make_job, tmp_path):
    """Something planted in the place of the event log is named, not followed."""
    job = make_job()
    job.run.path.mkdir()
    job.run.events.symlink_to(tmp_path / "elsewhere")
    done = run(job)
    assert (done.returncode, "Traceback" in done.stderr, (tmp_path / "elsewhere").exists()) == (2, False, False)
    assert "Too many levels of symbolic links" in done.stderr


class Asked(Job):
    """A job that somebody asks to stop while its first block is read."""

    def text_blocks(self, source):
        """The blocks of a source."""
        for block in super().text_blocks(source):
            self.run.stop.touch()
            yield block


def test_a_request_to_stop_is_heard_before_the_first_step(make_job, monkeypatch, capsys):
    """The stop file ends preparing between two blocks, with the code of a stop; launched again it is not in the way."""
    job = make_job()
    monkeypatch.setattr(preparing, "_arguments", lambda: Asked(job.plan, job.run, job.root, 1))
    assert preparing.main() == Exit.PREEMPTED
    assert "stopped before the first step" in capsys.readouterr().err
    assert not job.run.stop.exists()
    assert not job.run.data.exists()
    assert run(job).returncode == Exit.DONE


def test_sources_are_reported_with_their_epochs(make_job, project):
    """A mixture says what each source gives, how often it is seen, and what of it was skipped and left out."""
    (project / "corpus" / ".hidden.txt").write_text("x")
    (project / "corpus" / "small.txt").write_text("a few words of a small source " * 40)
    (project / "corpus" / "bad.txt").write_bytes(b"\xff")
    sources = (CorpusSource(path="corpus/*.jsonl", weight=1), CorpusSource(path="corpus/*.txt", weight=1))
    done = run(make_job(train=sources, on_bad_document="skip", validation=0.3, tokens=100_000))
    assert done.returncode == Exit.DONE, done.stderr
    assert "corpus/*.txt: left out 1 x hidden" in done.stderr
    assert f"corpus/*.txt: skipped 1 (TW834), e.g. {project}/corpus/bad.txt:1: byte 0xff is not UTF-8" in done.stderr
    assert "corpus/*.jsonl: " in done.stderr
    assert "50.0% of the samples" in done.stderr


def test_a_long_tmpdir_is_no_fault(make_job, tmp_path, monkeypatch):
    """The socket of the fork server is made where its path is short enough."""
    long = tmp_path / ("x" * 100)
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    done = run(make_job())
    assert done.returncode == Exit.DONE, done.stderr


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    """A missing plan is an input error."""
    options = ["--bundle", str(tmp_path), "--run", str(tmp_path / "run"), "--root", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "trainwright.runtime.prepare", *options],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, "TW801" in done.stderr) == (Exit.INPUT, True)


def whole(folder: Path) -> bool:
    """Whether a data folder, if there is one, has all its files with their hashes."""
    from trainwright.runtime.data.shards import shard_damage

    if not folder.exists():
        return True
    parts = (*read_index(folder).train, *read_index(folder).validation)
    return not any(shard_damage(folder, shard) for part in parts for shard in part.shards)


@pytest.mark.slow
def test_killed_at_any_moment_it_leaves_whole_data_or_none(make_job):
    """After kill -9 at 20 moments, data is absent or sound, and the next start ends like an unkilled one."""
    reference = make_job("reference")
    started = time.monotonic()
    assert run(reference).returncode == 0
    seconds = time.monotonic() - started
    killed = 0
    for moment in range(20):
        job = make_job(f"run-{moment}")
        process = subprocess.Popen(command(job), stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(seconds * (moment + 1) / 20)
        killed += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
        assert whole(job.run.data)
        assert run(job).returncode == 0
        assert read_index(job.run.data) == read_index(reference.run.data)
    assert killed >= 10

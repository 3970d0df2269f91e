"""What commands print is text, whoever named the runs, the files, the models and the ranks in it."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from trainwright import cli
from trainwright.spec.exit_codes import Exit
from trainwright.tests.report.folders import PLAN, whole_run

HOSTILE = {
    "escape": "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "markup": "r[/b][link=http://evil]x[/link][red]",
    "direction": "a\u202egnp.exe\u2066",
    "lines": "a\r\nb\x0bc\x85d\u2028e",
    "formula": '=HYPERLINK("http://evil","x")',
    "html": "<script>alert(1)</script>&quot;",
    "latex": r"$\frac{1}{0}$ \input{/etc/passwd} %",
    "bytes": os.fsdecode(b"\xff\xfe"),
    "format": "{0} {x!r} %n %s ${HOME} `id`",
}


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command as the shell does; its exit code and everything it printed."""

    def command(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdout", sys.stdout)  # put back when the test ends
        monkeypatch.setattr(sys, "stderr", sys.stderr)
        monkeypatch.setattr(sys, "argv", ["trainwright", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "300")
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return command


@pytest.fixture(params=HOSTILE)
def hostile(request) -> str:
    """A hostile name."""
    return HOSTILE[request.param]


@pytest.fixture
def folder(tmp_path, monkeypatch, hostile) -> Path:
    """A run in which everything that somebody else may name is named like that; the folder as well."""
    monkeypatch.chdir(tmp_path)
    path = Path(hostile.replace("/", ":"))
    plan = PLAN | {"name": hostile, "model": PLAN["model"] | {"name": hostile}}
    plan |= {"device": PLAN["device"] | {"name": hostile}, "carbon": PLAN["carbon"] | {"intensity_source": hostile}}
    whole_run(path, last=3)
    (path / "plan.json").write_text(json.dumps(plan))
    with (path / "events.jsonl").open("a") as log:
        for kind in ("fault", "gap", "phase", "checkpoint", "stop", hostile):
            words = dict.fromkeys(("rank", "what", "action", "device", "reason", "name", "path", "meter"), hostile)
            log.write(json.dumps({"kind": kind, "time": 2e9, "step": 3, "start": 1, "end": 2, **words}) + "\n")
    for note in ("slurm-job", "kubernetes-job", "exit_code", "restarts.json", "lock"):
        (path / note).write_text(json.dumps({"pid": hostile, "host": hostile, "job": hostile}))
    return path


def assert_is_text(printed: str) -> None:
    """No character is left that a terminal would obey, and no fault of ours."""
    assert [char for char in printed if not char.isprintable() and char not in "\n\t"] == []
    assert "This is a bug" not in printed
    assert "Traceback" not in printed


COMMANDS = [
    ("status",),
    ("watch",),
    ("stop",),
    ("report",),
    ("report", "--json"),
    ("compare",),
    ("compare", "--format", "csv"),
    ("export",),
    ("launch", "--dry-run"),
    ("check",),
    ("fmt", "--check"),
    ("estimate",),
    ("explain",),
    ("presets",),
    ("import",),
]


def test_no_name_in_a_run_is_more_than_text(run, folder) -> None:
    """Every command over a run with such names, spec files and codes of that name: text, and a code of our table."""
    for name, *options in COMMANDS:
        code, printed = run(name, *options, "--", folder)
        assert code in {Exit.DONE, Exit.INPUT}, (name, printed)
        assert_is_text(printed)


def test_the_owner_of_a_lock_is_text(run, folder) -> None:
    """Who holds a run says so in a file that others can write."""
    with (folder / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (("status", "--", folder), ("stop", "--no-wait", "--", folder)):
            code, printed = run(*words)
            assert code == Exit.DONE
            assert_is_text(printed)


def test_the_files_of_a_report_are_text(run, folder) -> None:
    """HTML, Markdown, LaTeX and CSV of such a run hold no script, no formula, no command and no control character."""
    assert run("report", "--out", "out", "--", folder)[0] == Exit.DONE
    kinds = {".html", ".md", ".tex", ".csv"}
    texts = {path: path.read_text() for path in Path("out").iterdir() if path.suffix in kinds}
    assert texts
    for path, text in texts.items():
        assert [char for char in text if not char.isprintable() and char not in "\n\t"] == [], path
        if path.suffix in {".html", ".md"}:
            assert "<script>alert" not in text, path
        if path.suffix == ".tex":
            assert "\\input" not in text, path
        if path.suffix == ".csv":
            assert not [line for line in text.splitlines() if line.startswith(("=", "+", "@", '"='))], path

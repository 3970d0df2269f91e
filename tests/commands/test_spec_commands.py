"""The commands of the language, check to init: arguments, output, exit codes, speed."""

from __future__ import annotations

import errno
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainwright import cli
from trainwright.commands.output import report_unusable
from trainwright.compiler.check import check_files
from trainwright.spec.exit_codes import Exit

ROOT = Path(__file__).parents[2]
GOOD = str(ROOT / "examples/llama2-70b.yaml")
BAD = ROOT / "tests/bad"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; exit code, output, errors."""

    def runner(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trainwright", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return runner


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["check", GOOD], 0),
        (["check", str(BAD / "TW307-vocabulary.yaml")], 2),
        (["check", str(BAD / "TW405-unused.yaml")], 0),
        (["check", "--strict", str(BAD / "TW405-unused.yaml")], 2),
        (["check", "nowhere.yaml"], 2),
        (["check", GOOD, "--set", "cluster.power_cap=900W"], 2),
        (["check", GOOD, "--set", "nonsense"], 2),
        (["explain", "TW206"], 0),
        (["explain", "TW999"], 2),
        (["explain"], 0),
        (["presets", "--sources"], 0),
        (["presets", "moons"], 2),
        (["schema"], 0),
        (["diff", GOOD, GOOD], 0),
        (["diff", GOOD, str(ROOT / "examples/llama2-7b.yaml")], 0),
        (["explain", "--markdown"], 0),
        (["diff", GOOD, "nowhere.yaml"], 2),
        (["fmt", "--check", GOOD], 0),
        (["fmt", "--check", str(BAD / "TW102-bracket.yaml")], 2),
    ],
)
def test_exit_codes(run, words, code):
    """0 done, 2 the input is wrong; never a traceback."""
    found, out, err = run(*words)
    assert found == code, err
    assert "Traceback" not in out + err
    assert out or err or words[0] == "fmt"


def test_the_list_of_commands_is_whole_at_80_columns(run, monkeypatch):
    """Every command's line is there to its end; click cuts what is too long."""
    monkeypatch.setenv("COLUMNS", "80")
    _, out, _ = run("--help")
    assert [text for text in cli.COMMANDS.values() if text not in out] == []


@pytest.mark.parametrize(("typo", "meant"), [("estmate", "estimate"), ("lanch", "launch"), ("presests", "presets")])
def test_a_mistyped_command_is_told_its_name(run, typo, meant):
    """As with a mistyped key; nothing is guessed and run."""
    code, _, err = run(typo)
    assert (code, f"Did you mean {meant}?" in err) == (2, True)


@pytest.mark.parametrize(
    "words",
    [
        ["compile", GOOD, "--out", "/proc/x"],
        ["compile", GOOD, "--out", "/dev/null/x"],
        ["init", "nowhere/x.yaml", "--region", "fr"],
    ],
)
def test_a_place_that_cannot_be_written_is_not_our_fault(run, words):
    """The code, the path and the reason, exit 2; no traceback in a file."""
    code, _, err = run(*words)
    assert (code, "error TW640: cannot use " in err, "a bug in Trainwright" in err) == (2, True, False)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a"), Exit.STORAGE),
        (OSError(errno.EROFS, "Read-only file system", "a"), Exit.STORAGE),
        (PermissionError(errno.EACCES, "Permission denied", "a"), Exit.INPUT),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset"), Exit.FAULT),
    ],
)
def test_a_full_disk_has_an_exit_code_of_its_own(error, code, capsys):
    """A script can tell it from a wrong spec; what names no file is an internal error."""
    assert report_unusable(error) == code
    assert (str(error.filename) in capsys.readouterr().err) == (code != Exit.FAULT)


def test_json_goes_to_standard_output_and_is_all_there(run):
    """A tool reads one JSON document; nothing else is printed there."""
    _, out, _ = run("check", "--format", "json", str(BAD / "TW201-keys.yaml"))
    assert {problem["code"] for problem in json.loads(out)["problems"]} == {"TW201"}


def test_github_annotations_go_to_standard_output(run):
    """GitHub Actions reads workflow commands from the output of a step."""
    _, out, _ = run("check", "--format", "github", str(BAD / "TW309-cap.yaml"))
    assert out.startswith("::error file=")


def test_presets_as_json_have_sources_and_dates(run):
    """Each model and cluster says where it comes from, and of what date."""
    tables = json.loads(run("presets", "--format", "json")[1])
    assert set(tables) == {"models", "clusters", "gpus", "sites"}
    assert all(row["source"] for rows in tables.values() for row in rows)
    assert all(row["date"] for name in ("models", "clusters") for row in tables[name])


def test_fmt_writes_in_place_once(run, tmp_path):
    """The file is replaced, keeps its mode, and is not touched again."""
    path = tmp_path / "spec.yaml"
    path.write_text("name:   a\n", encoding="utf-8")
    path.chmod(0o640)
    assert run("fmt", "--check", str(path))[0] == 2
    assert run("fmt", str(path)) == (0, f"formatted {path}\n", "")
    assert path.read_text(encoding="utf-8") == "name: a\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert run("fmt", str(path)) == (0, "", "")
    assert list(tmp_path.iterdir()) == [path]


def test_init_writes_a_spec_that_checks_and_never_overwrites(run, tmp_path):
    """From options alone; what is there stays, and a wrong answer leaves nothing."""
    path = tmp_path / "spec.yaml"
    assert run("init", str(path), "--model", "llama2-7b", "--cluster", "meta-rsc", "--region", "us-va")[0] == 0
    assert check_files([path])[1] == ["llama2-7b"]
    before = path.read_bytes()
    assert run("init", str(path), "--region", "fr")[0] == 2
    assert path.read_bytes() == before
    other = tmp_path / "other.yaml"
    assert run("init", str(other), "--region", "atlantis")[0] == 2
    assert not other.exists()


FAST = pytest.mark.skipif(sys.gettrace() is not None, reason="measuring coverage takes time itself")


@FAST
def test_check_answers_without_the_heavy_libraries():
    """From a cold start no library is imported that a check does not need; its speed is a benchmark's matter."""
    code = "import sys; sys.argv = ['trainwright', 'check', sys.argv[1]]; from trainwright.cli import main; main()"
    words = [sys.executable, "-X", "importtime", "-c", code, GOOD]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    imported = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert imported & {"torch", "numpy", "deepspeed", "matplotlib", "jinja2", "rich", "jsonschema"} == set()


@FAST
def test_check_is_immediate_in_a_process_that_runs():
    """Under 20 ms of processor time for a full spec, as an editor or a service would call it."""
    check_files([Path(GOOD)])
    spent = []
    for _ in range(9):
        before = time.process_time()
        check_files([Path(GOOD)])
        spent.append(time.process_time() - before)
    assert statistics.median(spent) < 0.02

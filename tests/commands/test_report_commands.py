"""`report`, `compare`, `reproduce` and `watch` as a user calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import trainwright
from trainwright.spec.exit_codes import Exit
from trainwright.tests.report import folders

ROOT = Path(trainwright.__file__).parent


def _words(*arguments):
    return [sys.executable, "-c", "from trainwright.cli import main; main()", *map(str, arguments)]


def _run(*arguments, cwd):
    return subprocess.run(_words(*arguments), cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def run(tmp_path):
    """A finished run of a few steps."""
    return folders.whole_run(tmp_path / "runs" / "tiny", last=60)


def test_report_writes_every_format_beside_the_run(run, tmp_path):
    """Table on screen; HTML, Markdown, CSV, JSON, LaTeX, PNG, SVG, CodeCarbon and model card in RUN/report."""
    done = _run("report", run, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Carbon emitted" in done.stdout
    names = {path.name for path in (run / "report").iterdir()}
    assert names >= {"report.html", "report.md", "report.csv", "report.json", "report.tex", "loss.png", "loss.svg"}
    assert names >= {"emissions.csv", "model-card.md", "curves.csv"}


def test_a_broken_limit_has_an_exit_code_of_its_own(tmp_path):
    """83 after everything is written, for a person and for a program."""
    limit = {"name": "energy", "most": 1e-9, "found": None, "verdict": "unknown"}
    log = folders.Log()
    log.start()
    log.steps(1, 5)
    log.stop(5)
    run = log.write(tmp_path / "runs" / "tiny", prediction=folders.estimate(20.0, 380.0, limits=[limit]))
    done = _run("report", run, cwd=tmp_path)
    assert done.returncode == Exit.LIMIT
    assert "broken" in done.stdout
    assert (run / "report" / "report.html").exists()
    done = _run("report", run, "--json", cwd=tmp_path)
    assert done.returncode == Exit.LIMIT
    assert json.loads(done.stdout)["runs"][0]["limits"][0]["verdict"] == "broken"


def test_report_into_a_closed_pipe_leaves_whole_files(run, tmp_path):
    """`trainwright report RUN | head` writes what it would write otherwise."""
    with subprocess.Popen(_words("report", run), cwd=tmp_path, stdout=subprocess.PIPE) as process:
        process.stdout.close()
    assert (run / "report" / "report.html").read_text().rstrip().endswith("</html>")


def test_streams_that_the_caller_closed_lead_nowhere(tmp_path):
    """The code of the command, and no file that it writes takes the place of a closed stream."""
    script = """import os, sys
from trainwright.spec.plain_screen import guard_screens
guard_screens()
made = os.open("made", os.O_RDWR | os.O_CREAT)
print("for nobody", flush=True)
os.system("echo for nobody; echo for nobody >&2")
sys.exit(5 if made > 2 else 6)
"""
    words = ["bash", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, script]
    assert subprocess.run(words, cwd=tmp_path, check=False, timeout=60).returncode == 5
    assert (tmp_path / "made").read_text() == ""


@pytest.mark.parametrize("words", [("report", "runs/tiny"), ("schema",), ("compare", "runs/tiny", "--out", "compared")])
def test_a_reader_that_leaves_is_no_error(run, tmp_path, words):
    """`| head` leaves whole files, exit code 0 and no complaint of Python."""
    with subprocess.Popen(_words(*words), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        complaint = process.stderr.read()
    assert (process.returncode, complaint) == (0, b"")
    written = [*tmp_path.rglob("report.html"), *tmp_path.rglob("compare.html")]
    assert [path.stem for path in written] == [word for word in words[:1] if word != "schema"]


def test_a_reader_that_leaves_takes_no_exit_code_away(tmp_path):
    """`check --format json | head -1` under pipefail still fails for a spec with errors, however long the list."""
    many = [str(ROOT / "tests/bad/TW102-bracket.yaml")] * 100
    words = _words("check", *many, "--format", "json")
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        complaint = process.stderr.read()
    assert (process.returncode, complaint) == (2, b"")


def test_compare_measures_against_the_first_word(run, tmp_path):
    """Whatever it is: a run before a spec stays before it."""
    spec = ROOT / "examples" / "tiny-cpu.yaml"
    for first, second in ((run, spec), (spec, run)):
        shown = _run("compare", first, second, cwd=tmp_path).stdout
        assert f"Changes are against {Path(first).stem}, " in shown.replace("\n", " ")


def test_report_of_no_run_folder_exits_2(tmp_path):
    """Not a run folder, or none at all: a problem with a remedy and exit 2."""
    for arguments in (("report", tmp_path), ("report",), ("watch", tmp_path)):
        done = _run(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert "TW86" in done.stderr


def test_report_json_on_standard_output_writes_nothing(run, tmp_path):
    """--json is for pipes."""
    done = _run("report", "--json", run, cwd=tmp_path)
    assert json.loads(done.stdout)["runs"][0]["name"] == "tiny"
    assert not (run / "report").exists()


def test_reproduce_llama2_gives_the_papers_digits(tmp_path):
    """Table 2 from published hours, equal to the printed digits, in a document of its own."""
    done = _run("reproduce", "llama2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "reproduce-llama2" / "llama2.md").read_text()
    assert "| llama2-13b | 368,640 | 400 | 62.4476 | 62.44 | 62.44 | yes |" in text
    assert "**539.0010** | **539.00** | **539.00** | **yes**" in text


def test_compare_puts_specs_and_runs_side_by_side(run, tmp_path):
    """A spec, a run, a cap sweep and another grid in one document."""
    spec = ROOT / "examples" / "llama2-7b.yaml"
    done = _run("compare", spec, run, "--caps", "--region", "fr", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out" / "compare.md").read_text()
    assert "least energy" in text
    assert "| tiny | fr | 0.044 |" in text


def test_a_cap_sweep_of_a_cpu_is_refused(tmp_path):
    """No power cap on this device: exit 2 with the reason."""
    done = _run("compare", ROOT / "examples" / "tiny-cpu.yaml", "--caps", cwd=tmp_path)
    assert done.returncode == 2
    assert "TW863" in done.stderr

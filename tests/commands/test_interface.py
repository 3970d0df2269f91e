"""What every command line has: short options, completion, standard input, formats with a published schema."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from trainwright import cli
from trainwright.spec import yaml_source
from trainwright.tests.report.folders import Log

ROOT = Path(__file__).parents[2]
TINY, LLAMA = ROOT / "examples/tiny-cpu.yaml", ROOT / "examples/llama2-7b.yaml"
PROGRAM = Path(sys.executable).with_name("trainwright")


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; exit code, output, errors."""

    def runner(*words: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["trainwright", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin.encode()), isatty=lambda: False))
        yaml_source._standard_input.cache_clear()
        code = 0
        try:
            cli.main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return runner


@pytest.fixture
def folder(tmp_path):
    """A run of 100 steps that has stopped."""
    log = Log()
    log.start()
    log.steps(1, 100)
    return log.write(tmp_path / "run")


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_every_command_has_both_spellings_of_help(run, command):
    """`-h` prints what `--help` prints."""
    words = [command] if command else []
    short, long = run(*words, "-h"), run(*words, "--help")
    assert (short[0], short[1]) == (0, long[1])
    assert "-h, --help" in short[1]


def complete(shell: str, line: str) -> str:
    """What a shell is offered after a line."""
    asks = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    env = os.environ | asks[shell] | {"_TRAINWRIGHT_COMPLETE": f"complete_{shell}"}
    return subprocess.run([PROGRAM], env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands_options_and_choices(run, shell):
    """Each shell has its script, and is offered names, options of the named command and choices of an option."""
    code, script, _ = run("completion", shell)
    assert (code, f"complete_{shell}" in script) == (0, True)
    assert "estimate" in complete(shell, "trainwright es")
    assert "--sources" in complete(shell, "trainwright presets --so")
    assert "markdown" in complete(shell, "trainwright presets --format ma")


def test_the_script_of_bash_is_bash(run):
    """Bash parses it."""
    _, script, _ = run("completion", "bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_the_module_is_the_program():
    """`python -m trainwright` works where the script is not on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "trainwright", "--version"], cwd="/", capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("trainwright ")


@pytest.mark.parametrize(
    "words", [["check"], ["estimate"], ["plan", "--top", "1"], ["scaling", "--gpus", "1,2"], ["fmt"]]
)
def test_a_spec_may_come_from_standard_input(run, tmp_path, monkeypatch, words):
    """`-` stands for what is piped in; nothing is written beside it."""
    monkeypatch.chdir(tmp_path)
    code, out, err = run(words[0], "-", *words[1:], stdin=TINY.read_text(encoding="utf-8"))
    assert code == 0, err
    assert out or err
    assert list(tmp_path.iterdir()) == []


def test_mistakes_of_standard_input_have_their_line(run):
    """The place is line and column of what was piped in."""
    code, _, err = run("check", "-", stdin="name: x\nmodle: y\n")
    assert code == 2
    assert "-:2:1: error TW201 modle" in err
    assert run("check", "-", stdin="")[0] == 2


def test_diff_sets_keys_of_one_side(run):
    """--set-a changes the first, --set-b the second, --set both."""
    sides = ("--set-a", "cluster.power_cap=300 W", "--set-b", "cluster.power_cap=350 W", "--set", "cluster.gpus=512")
    code, out, _ = run("diff", LLAMA, LLAMA, *sides, "--format", "json")
    changed = json.loads(out)["changes"]
    assert (code, changed) == (0, [{"path": "cluster.power_cap", "before": "300 W", "after": "350 W"}])
    assert run("diff", LLAMA, LLAMA, "--set-a", "cluster.power_cap=9 W", "--set-b", "nonsense=1")[0] == 2


@pytest.mark.parametrize(
    ("kind", "more"),
    [(kind, ()) for kind in ("problems", "estimate", "plan", "scaling", "diff", "status", "report", "compare")]
    + [("plan", ("--under", "--set", "limits.site_power=20 kW"))],
)
def test_json_is_what_its_published_schema_says(run, folder, kind, more):
    """`trainwright schema KIND` describes what `--format json` prints."""
    words = {
        "plan": ("plan", LLAMA, "--set", "cluster.gpus=64"),
        "scaling": ("scaling", LLAMA, "--gpus", "8,512"),
        "diff": ("diff", LLAMA, LLAMA, "--set-b", "cluster.power_cap=350 W"),
        "compare": ("compare", folder, LLAMA),
        "problems": ("check", TINY, "--set", "cluster.power_cap=3 W"),
        "estimate": ("estimate", TINY, LLAMA),
        "status": ("status", folder),
        "report": ("report", folder),
    }
    _, schema, _ = run("schema", kind)
    _, out, _ = run(*words[kind], *more, "--format", "json")
    jsonschema.validate(json.loads(out), json.loads(schema))


@pytest.mark.parametrize("form", ["markdown", "csv", "json", "latex"])
@pytest.mark.parametrize("command", ["status", "report", "compare"])
def test_reports_print_in_every_format_and_write_nothing(run, folder, tmp_path, command, form):
    """A format goes to standard output, the run folder stays as it was."""
    before = sorted(tmp_path.rglob("*"))
    code, out, err = run(command, folder, "--format", form)
    assert (code, bool(out.strip())) == (0, True), err
    assert sorted(tmp_path.rglob("*")) == before


def test_out_has_a_short_name(run, tmp_path, monkeypatch):
    """`-o` is `--out`."""
    monkeypatch.chdir(tmp_path)
    assert run("compile", TINY, "-o", "bundle")[0] == 0
    assert (tmp_path / "bundle/plan.json").is_file()

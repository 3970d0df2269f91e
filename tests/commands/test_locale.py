"""Commands in a locale that lacks most characters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BARE = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
LATIN = {"PYTHONIOENCODING": "latin-1"}
COMMANDS = (
    ["check", "tests/bad/TW407-epochs.yaml"],
    ["check", "tests/bad/TW103-bidi.yaml"],
    ["estimate", "examples/tiny-cpu.yaml"],
    ["plan", "examples/llama2-7b.yaml"],
    ["presets"],
    ["explain", "TW313"],
    ["reproduce", "llama2"],
    ["status", "{run}"],
    ["report", "{run}"],
)


@pytest.mark.parametrize("locale", [BARE, LATIN], ids=["C", "latin-1"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_prints_what_the_locale_can(words, locale, tmp_path):
    """Question marks for what cannot be shown; never a fault of ours."""
    (tmp_path / "events.jsonl").write_text('{"kind": "start", "time": 1, "attempt": 1, "step": 0}\n', encoding="utf-8")
    command = [sys.executable, "-m", "trainwright.cli", *(word.format(run=tmp_path) for word in words)]
    code = "import sys; from trainwright.cli import main; sys.argv[0] = 'trainwright'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command[3:]], cwd=ROOT, env=os.environ | locale, capture_output=True, check=False
    )
    assert done.returncode in (0, 2), done.stderr
    assert b"Traceback" not in done.stderr

"""The README shows what the commands print."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.cli import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"<!-- trainwright ([^\n]+) -->\n```text\n(.*?)```", README, re.DOTALL)
RUN = "from trainwright.cli import main; main()"


@pytest.mark.parametrize(("command", "excerpt"), SHOWN)
def test_the_readme_shows_what_the_command_prints(command: str, excerpt: str) -> None:
    """Every output in the README is a passage, to the letter, of what the command named above it prints."""
    environment = {**os.environ, "COLUMNS": "120", "NO_COLOR": "1"}
    words = [sys.executable, "-c", RUN, *command.split()]
    run = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert excerpt in "\n".join(line.rstrip() for line in (run.stdout + run.stderr).splitlines()) + "\n"


def test_the_readme_shows_a_report_and_a_table() -> None:
    """The first screen holds an answer to a mistake and the estimate."""
    assert [command.split()[0] for command, _ in SHOWN] == ["check", "estimate"]


def test_the_readme_has_every_command() -> None:
    """A command that the table of the README leaves out is not found."""
    table = README.split("## What it does")[1].split("##")[0]
    assert [name for name in COMMANDS if f"`{name}`" not in table] == []

"""Commands that the site's build does not run: those of the README, of CI, and those that train."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.docs.tools.fences import Fence, fences
from trainwright.docs.tools.transcript import commands, filled, is_recorded, is_run, recorded, shell

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TRAINING = [page for page in PAGES if any(is_run(b) and is_recorded(b) for b in fences(page.read_text("utf-8")))]
SHELLS = {"bash", "sh", "shell", "console"}


def blocks() -> Iterator[tuple[Path, Fence]]:
    """Every shell block of README and site."""
    for page in PAGES:
        for block in fences(page.read_text(encoding="utf-8")):
            if block.language in SHELLS:
                yield page, block


def test_the_readme_does_what_it_says(tmp_path: Path) -> None:
    """Every command of the README that trains nothing runs."""
    filled((ROOT / "README.md").read_text(encoding="utf-8"), shell(tmp_path))


def test_commands_of_ci_are_targets() -> None:
    """A command that is left to CI is one of the Makefile."""
    for page, block in blocks():
        for command in commands(block) if block.options.get("by") == "ci" else []:
            assert command.startswith("make "), f"{page.name}: {command}"
            subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True, timeout=60)


def test_no_command_hides_from_the_tests() -> None:
    """Commands stand in `console` blocks, which are run; a plain shell block may only enter the environment."""
    hidden = [
        f"{page.name}:{block.line}"
        for page, block in blocks()
        if block.language != "console" and block.body.strip() != "source .venv/bin/activate"
    ]
    assert hidden == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", TRAINING, ids=lambda page: page.stem)
def test_recorded_commands_run(page: Path, tmp_path: Path) -> None:
    """A page whose commands train does what it says, from its first command to its last."""
    recorded(page.read_text(encoding="utf-8"), shell(tmp_path, timeout=900))

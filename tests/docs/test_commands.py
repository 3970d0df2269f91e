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


def left_to_ci() -> Iterator[tuple[str, str]]:
    """Commands that install or test Trainwright itself: where they stand, and what they say without their comment."""
    for page, block in blocks():
        lines = commands(block) if block.language == "console" else block.body.splitlines()
        if block.language != "console" or block.options.get("by") == "ci":
            yield from ((f"{page.name}:{block.line}", line.partition("  #")[0].strip()) for line in lines)


def test_commands_left_to_ci_are_targets() -> None:
    """What no test here runs is a target of the Makefile, or enters the environment that one made."""
    for place, command in left_to_ci():
        if command != "source .venv/bin/activate":
            assert command.startswith("make "), f"{place}: {command}"
            subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, check=True, capture_output=True, timeout=60)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", TRAINING, ids=lambda page: page.stem)
def test_recorded_commands_run(page: Path, tmp_path: Path) -> None:
    """A page whose commands train does what it says, from its first command to its last."""
    recorded(page.read_text(encoding="utf-8"), shell(tmp_path, timeout=900))

"""Commands that the site's build does not run: those left to CI or to other tests, and those that train."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from trainwright.docs.tools.fences import Fence, fences
from trainwright.docs.tools.transcript import commands, is_recorded, is_run, recorded, shell

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


def left() -> Iterator[tuple[str, str, str]]:
    """Commands that this file does not run: where they stand, who does, and the command without its comment."""
    for page, block in blocks():
        if block.language != "console" or "by" in block.options:
            lines = commands(block) if block.language == "console" else block.body.splitlines()
            for line in lines:
                yield f"{page.name}:{block.line}", block.options.get("by", "ci"), line.partition("  #")[0].strip()


def target(command: str) -> bool:
    """Whether a command is a target of the Makefile, or enters the environment that one made."""
    if command == "source .venv/bin/activate":
        return True
    if not command.startswith("make "):
        return False
    dry = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, timeout=60, check=False)
    return dry.returncode == 0


def packaged(command: str) -> bool:
    """Whether a command installs one of our extras, or is a program of a package that is installed."""
    extra = re.fullmatch(r"\.venv/bin/python -m pip install -e '\.\[(\w+)\]'", command)
    if extra:
        return extra[1] in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return command.split(maxsplit=1)[0] in {script.name for script in entry_points(group="console_scripts")}


def named(test: Path, command: str) -> bool:
    """Whether a test file exercises the module that a command runs."""
    module = re.match(r"python -m ([\w.]+) ", command)
    return module is not None and test.is_file() and f"from {module[1]} import" in test.read_text(encoding="utf-8")


def test_commands_left_to_others_are_true() -> None:
    """What no test here runs is a Makefile target, an installer of ours, or exercised by the test that it names."""
    checks = {"ci": target, "package": packaged}
    wrong = [
        f"{place}: {command}"
        for place, by, command in left()
        if not (checks[by](command) if by in checks else named(ROOT / by, command))
    ]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", TRAINING, ids=lambda page: page.stem)
def test_recorded_commands_run(page: Path, tmp_path: Path) -> None:
    """A page whose commands train does what it says, from its first command to its last."""
    recorded(page.read_text(encoding="utf-8"), shell(tmp_path, timeout=900))

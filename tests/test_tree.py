"""The tree keeps its word: what docs and docstrings name exists, tests lie where code lies, sizes stay as they are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from statistics import median, quantiles

import pytest

from trainwright.cli import COMMANDS

ROOT = Path(__file__).parents[1]
LAYERS = ("spec", "compiler", "runtime", "report")
WORDED = (".py", ".md", ".yaml", ".j2")  # files whose words are read
# Files that hold other projects' paths, or recorded output.
FOREIGN = ("CHANGELOG.md", "docs/comparison.md", "docs/reference/codes.md", "spec/facts/deepspeed.yaml")
MEDIAN, P90 = 65, 160  # lines of a source file: a newcomer reads one in a sitting

_FILE = re.compile(r"(?<![\w/.:-])((?:[a-z_]+/)+[a-z_0-9-]+\.(?:py|j2))\b")
_FOLDER = re.compile(r"(?<![\w/.:-])((?:spec|compiler|runtime|report|commands|templates)/(?:[a-z_]+/)*)(?![\w*<{.])")
_COMMAND = re.compile(r"(?:`|\$ |: |bash )trainwright ([a-z]+)\b")


def tracked() -> list[str]:
    """Every file of the repository, as git has it."""
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("not a git checkout")
    return [name for name in run.stdout.split("\n") if name and (ROOT / name).is_file()]


def words() -> dict[str, str]:
    """The text of every file that names things of this tree."""
    return {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in tracked()
        if name.endswith(WORDED)
        and name not in FOREIGN
        and (not name.startswith("tests/") or name.endswith("README.md"))
    }


def test_paths_that_are_named_exist() -> None:
    """A path in a docstring, a comment or a page leads somewhere: from the root, or from the room that names it."""
    files = tracked()
    lost = {
        f"{name} names {path}"
        for name, text in words().items()
        for path in {*_FILE.findall(text), *_FOLDER.findall(text)}
        if not any(file.startswith(path) or f"/{path}" in file for file in files)
    }
    assert lost == set()


def test_commands_that_are_named_exist() -> None:
    """`trainwright X` in a message or a page is a command of the table."""
    lost = {
        f"{name}: {word}" for name, text in words().items() for word in _COMMAND.findall(text) if word not in COMMANDS
    }
    assert lost == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_tests_lie_where_the_code_lies(layer: str) -> None:
    """Each folder of tests of a layer is a folder of that layer."""
    folders = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests" / layer).rglob("test_*.py")}
    assert [str(path.parent) for path in folders if not (ROOT / path.parent).is_dir()] == []


def test_files_stay_as_small_as_they_are() -> None:
    """The median source file and the ninetieth percentile, in lines."""
    sources = [name for name in tracked() if name.endswith(".py") and name.split("/")[0] in (*LAYERS, "commands")]
    lengths = [len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in sources]
    assert median(lengths) <= MEDIAN
    assert quantiles(lengths, n=10)[-1] <= P90


def test_the_walks_of_the_architecture_page_are_whole() -> None:
    """Each step of the two walks names a file that exists, and the file speaks of the thing that is walked."""
    page = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    for title, word in (("Walk: `power_cap`", "power_cap"), ("Walk: one gradient", "grad")):
        section = page.split(f"### {title}")[1].split("\n##")[0]
        files = re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)
        assert len(files) > 5
        assert [name for name in files if word not in (ROOT / name).read_text(encoding="utf-8")] == []

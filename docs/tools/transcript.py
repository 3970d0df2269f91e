"""Shell examples that are real: the commands of a page are run, and what they print becomes the page's text.

A block fenced as `console` holds lines that start with `$ `. When it holds nothing else, its commands are run while
the site is built and their output is put in. When it already holds output (a run that trains takes minutes), that
output was recorded by `python -m trainwright.docs.tools.record`, and a slow test runs it again. After `console` stand
options: `exit=2` says which exit code the last command of a block must have; `by=...` that something else runs it: `ci`
(a target of the Makefile), `package` (an installer or a program of another project), or the test file that is named.

A block with a `title` is a file that the reader saves, so it is written where the commands run. Each page starts in a
folder of its own with a copy of `examples/`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .fences import Fence, rewritten

ROOT = Path(__file__).parents[2]
WIDTH = 132  # columns that fit on the page
_OPTIONS = re.compile(r"^([ ]*`{3,}console)[^\n]*", re.MULTILINE)
CHEAP_SECONDS = 120  # what a command may take while the site is built, on a busy machine


class Wrong(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """A command of a page did not end as the page says."""


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs a page's commands in one folder, with a terminal's width and no colours."""

    folder: Path
    timeout: float = CHEAP_SECONDS

    def run(self, command: str, expected: int = 0) -> str:
        """What `command` prints, errors included. Raises Wrong when it ends with another code than expected."""
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.timeout,
            check=False,
        )
        if done.returncode != expected:
            raise Wrong(f"`{command}` ended with {done.returncode}, not {expected}:\n{done.stdout}")
        return done.stdout.replace(str(self.folder), "~/work")


def environment() -> dict[str, str]:
    """The variables that a command sees: this interpreter's `trainwright` first, a plain terminal, few surprises."""
    kept = {
        name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "TMPDIR", "TORCH_EXTENSIONS_DIR"}
    }
    path = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}"
    return kept | {"PATH": path, "COLUMNS": str(WIDTH), "NO_COLOR": "1", "TERM": "dumb", "OMP_NUM_THREADS": "1"}


def shell(folder: Path, timeout: float = CHEAP_SECONDS) -> Shell:
    """A shell in `folder`, which gets a copy of the examples."""
    shutil.copytree(ROOT / "examples", folder / "examples", dirs_exist_ok=True)
    return Shell(folder, timeout)


def commands(block: Fence) -> list[str]:
    """The commands of a `console` block; a line that ends in a backslash continues in the next."""
    found: list[str] = []
    going_on = False
    for line in block.body.splitlines():
        if going_on:
            found[-1] += f"\n{line}"
        elif line.startswith("$ "):
            found.append(line[2:])
        going_on = (going_on or line.startswith("$ ")) and line.endswith("\\")
    return found


def is_run(block: Fence) -> bool:
    """Whether a block is a shell example that runs here."""
    return block.language == "console" and "by" not in block.options


def is_recorded(block: Fence) -> bool:
    """Whether a block holds output already."""
    asked = "".join(f"$ {command}\n" for command in commands(block))
    return block.body != asked


def run_block(block: Fence, shell: Shell) -> str:
    """The block's text with the fresh output of each of its commands."""
    asked = commands(block)
    codes = [0] * (len(asked) - 1) + [int(block.options.get("exit", "0"))]
    texts = [f"$ {command}\n{_ended(shell.run(command, code))}" for command, code in zip(asked, codes, strict=True)]
    return "".join(texts)


def filled(markdown: str, shell: Shell) -> str:
    """The page with the output of its commands, recorded ones left as they are; ready for the site."""
    return _OPTIONS.sub(r"\1", _with_output(markdown, shell, recorded=False))


def recorded(markdown: str, shell: Shell) -> str:
    """The page with the recorded output renewed, ready to be committed. Runs every command of the page."""
    return _with_output(markdown, shell, recorded=True)


def _with_output(markdown: str, shell: Shell, *, recorded: bool) -> str:
    def change(block: Fence) -> str | None:
        if "title" in block.options:
            _save(block, shell.folder / block.options["title"])
        if not is_run(block) or (is_recorded(block) and not recorded):
            return None
        fresh = run_block(block, shell)
        return fresh if is_recorded(block) == recorded else None

    return rewritten(markdown, change)


def _save(block: Fence, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(block.body, encoding="utf-8")


def _ended(text: str) -> str:
    lines = [line.rstrip() for line in text.splitlines()]
    return "".join(f"{line}\n" for line in lines)

"""`init` at a terminal: a wrong answer costs that answer only, and Ctrl-C costs none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.tests.commands.test_launch_commands import TRAINWRIGHT


class Session:
    """An `init` with somebody at its terminal."""

    def __init__(self, folder: Path) -> None:
        self.master, slave = pty.openpty()
        self.shown, self.read = "", 0
        # The terminal must be the command's own, or Ctrl-C would not reach it.
        code = (
            "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
        )
        words = [sys.executable, "-c", code, str(TRAINWRIGHT), "init", "mine.yaml"]
        self.process = subprocess.Popen(
            words, cwd=folder, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    def until(self, text: str) -> None:
        """Read on until `text` is shown. Raises EOFError where the command ends before."""
        while (found := self.shown.find(text, self.read)) < 0:
            try:
                more = os.read(self.master, 4096)
            except OSError:
                more = b""
            if not more:
                raise EOFError(self.shown)
            self.shown += more.decode(errors="replace")
        self.read = found + len(text)

    def answer(self, text: str) -> None:
        """Type a line."""
        os.write(self.master, text.encode() + b"\n")

    def ended(self) -> int:
        """The exit code."""
        code = self.process.wait(60)
        os.close(self.master)
        return code


@pytest.mark.timeout(120)
def test_an_interview_is_resumed_after_a_wrong_answer_and_ctrl_c(tmp_path: Path) -> None:
    """The next `init` of the file asks for what was not answered yet, and the spec has all answers."""
    first = Session(tmp_path)
    first.until("\n> ")
    first.answer("llama9")
    first.until("there is no model preset 'llama9'")
    first.until("\n> ")
    first.answer("ladder-600k")
    first.until("Cluster or site")
    os.write(first.master, b"\x03")
    first.until("answers are kept in .mine.yaml.answers; to resume: trainwright init mine.yaml")
    assert first.ended() != 0
    second = Session(tmp_path)
    second.until("answered before: model ladder-600k")
    for text in (
        "Cluster or site",
        "Devices",
        "Training text",
        "Training tokens",
        "power comes from",
        "starts the run",
    ):
        second.until(text)
        second.until("> ")
        second.answer("fr" if "comes from" in text else "")
    second.until("wrote mine.yaml")
    assert second.ended() == 0
    assert "model: ladder-600k " in (tmp_path / "mine.yaml").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]

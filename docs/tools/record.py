"""Renew the recorded output of pages: `python -m trainwright.docs.tools.record docs/tutorial.md`. It trains."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .transcript import recorded, shell

SECONDS = 900  # one training command on a busy two-core machine


def record(page: Path) -> None:
    """Run every command of `page` in a fresh folder and write what its recorded blocks print back into it."""
    with tempfile.TemporaryDirectory() as folder:
        page.write_text(recorded(page.read_text(encoding="utf-8"), shell(Path(folder), SECONDS)), encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        record(Path(name))

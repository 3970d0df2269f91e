"""The run folders below a folder, and who owns them."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from ...spec.run_folder import RunFolder


def run_folders(place: Path, unreadable: list[str]) -> Iterator[Path]:
    """Every run folder at or below `place`, by name; what cannot be entered is added to `unreadable`.

    Links are not followed, and nothing within a run folder is one.
    """

    def note(error: OSError) -> None:
        unreadable.append(f"{error.filename}: {error.strerror}")

    for folder, names, _ in os.walk(place, onerror=note):
        run = RunFolder(Path(folder))
        if run.plan.is_file() or run.events.is_file():
            names.clear()
            yield Path(folder)
        else:
            names[:] = sorted(name for name in names if not name.startswith("."))


def owner(folder: Path) -> str:
    """The person that a folder belongs to: the name of the account, or its number where it has none here."""
    number = folder.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)

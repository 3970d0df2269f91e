"""A run's log as any other program reads it: JSON lines. What is torn is left out."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


def logged_events(path: Path, kind: str = "") -> list[dict[str, Any]]:
    """The events of a log, of one kind or all."""
    found: list[dict[str, Any]] = []
    for line in path.read_bytes().splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return [event for event in found if isinstance(event, dict) and (not kind or event["kind"] == kind)]

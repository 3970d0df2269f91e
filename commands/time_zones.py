"""Time zones by their name, as options give them."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..spec.problem import InputError


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name. Raises InputError (TW894)."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"no time zone is called {name!r}"
        raise InputError.one("TW894", message, "Write e.g. Europe/Paris.", "--timezone") from error

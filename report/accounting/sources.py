"""Report stage 4b: what each source of the corpus gave to the run, from the newest `data` event."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from ...spec.run_folder import Event
from ..values import SourceUse


def sources(events: Sequence[Event]) -> tuple[SourceUse, ...]:
    """A row a source; none when the run's data was prepared elsewhere, or the event cannot be read."""
    prepared = [event.get("sources") for event in events if event["kind"] == "data"]
    rows = prepared[-1] if prepared else None
    if not isinstance(rows, list):
        return ()
    try:
        return tuple(SourceUse.model_validate(row) for row in rows)
    except ValidationError:
        return ()

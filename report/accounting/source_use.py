"""Report stage 4b: what each source of the corpus gave to the run, from the newest `data` event."""

from __future__ import annotations

from collections.abc import Sequence

from ...spec.events import DataEvent, Event
from ..values import SourceUse


def sources(events: Sequence[Event]) -> tuple[SourceUse, ...]:
    """A row a source; none when the run's data was prepared elsewhere, or the event cannot be read."""
    prepared = [event.sources for event in events if isinstance(event, DataEvent)][-1:]
    return tuple(SourceUse.model_validate(row.model_dump()) for rows in prepared for row in rows)

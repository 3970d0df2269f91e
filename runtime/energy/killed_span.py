"""The energy that a kill swallowed: what was drawn between the last event of an attempt and its end."""

from __future__ import annotations

from collections.abc import Iterable

from ...spec.events import Event, GapEvent, PhaseEvent, StartEvent, StepEvent, StopEvent


def killed_span(events: Iterable[Event]) -> GapEvent | None:
    """The gap that the last attempt of a run left, or None where it said its last word or never took a step.

    When it died is unknown; it was before the next step's event, so the span is taken to be as long as the last step.
    """
    last: Event | None = None
    seconds = 0.0
    for event in events:
        if isinstance(event, PhaseEvent) and event.prepares:
            continue  # written by the preparation of the next attempt
        if isinstance(event, StartEvent):
            seconds = 0.0
        elif isinstance(event, StepEvent):
            seconds = event.seconds or 0.0
        last = event
    if last is None or last.time is None or not seconds or isinstance(last, StopEvent):
        return None
    reason = "the run was killed; the span is as long as its last step"
    return GapEvent(device="all", start=last.time, end=last.time + seconds, reason=reason)

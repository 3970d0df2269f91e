"""The live line of a run: step, loss, speed, energy, carbon, time left.

On a terminal it stays in place; in a log file it is one plain line every few seconds.
"""

from __future__ import annotations

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ...spec.display_units import BYTES, ENERGIES, MASSES
from ...spec.emissions import carbon_tonnes
from ...spec.events import CheckpointEvent, Event, FaultEvent, StartEvent, StepEvent, StopEvent, ValidationEvent
from ...spec.exit_codes import Exit
from ...spec.number_text import fixed, percent, with_unit
from ...spec.plan import Plan
from ...spec.terminal import Terminal

LINE_EVERY = 10.0  # seconds between lines where there is no terminal


class ProgressLine:
    """Shows `step` events of rank 0."""

    def __init__(self, plan: Plan, step: int, last_step: int) -> None:
        self._plan = plan
        self._last_step = last_step
        self._console = Terminal(stderr=True)
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}", markup=False),
        )
        self._bar = Progress(*columns, console=self._console, disable=not self._live)
        self._task = self._bar.add_task(plan.name, total=last_step, completed=step, text="")
        self._next = time.monotonic()
        self._bar.start()

    def show(self, event: Event) -> None:
        """Show an event. Steps move the line; what is rare is printed above it."""
        if not isinstance(event, StepEvent):
            self._say(event)
            return
        last = event.step == self._last_step
        if self._live:
            self._bar.update(self._task, completed=event.step, text=self._text(event))
        elif last or time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_EVERY
            self._console.print(f"step {event.step}/{self._last_step}  {self._text(event)}", soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back."""
        self._bar.stop()

    def _say(self, event: Event) -> None:
        match event:
            case StartEvent() if event.step:
                text = f"resuming from step {event.step}"
            case ValidationEvent():
                text = f"validation at step {event.step}: loss {fixed(event.loss, 4)}"
            case CheckpointEvent():
                text = f"saved {event.path} ({with_unit(event.bytes, BYTES)} in {fixed(event.seconds, 1)} s)"
            case FaultEvent():
                text = f"{event.what}: {event.action}"
            case StopEvent():
                again = "; run launch again to resume" if event.exit_code == Exit.PREEMPTED else ""
                text = f"stopped at step {event.step}: {event.reason}{again}"
            case _:
                return
        self._console.print(text, soft_wrap=True)

    def _text(self, event: StepEvent) -> str:
        carbon = self._plan.carbon
        energy = event.energy_kwh
        parts = [f"loss {fixed(event.loss, 4)}", f"{fixed(event.tokens_per_second, 0)} tokens/s"]
        if event.mfu is not None:
            parts.append(f"MFU {percent(event.mfu)}")
        if energy is None:
            parts.append("energy unknown")
        else:
            tonnes = carbon_tonnes(energy, carbon.pue, carbon.intensity_kg_per_kwh)
            parts.append(f"{with_unit(energy, ENERGIES)}, {with_unit(tonnes, MASSES)}")
        return "  ".join(parts)

"""The console of every command and process that draws: words are only words there, whoever they come from.

Imported only when there is something to draw: rich takes its time to load.
"""

from __future__ import annotations

from typing import IO, Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.segment import Segment

from .foreign_text import for_terminal
from .plain_screen import unguarded


class Terminal(Console):
    """A console that marks up nothing unasked, shows control characters, and reports a reader that has gone."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(highlight=False, markup=False, emoji=False, stderr=stderr)
        self.push_render_hook(_AsText())

    @property
    def file(self) -> IO[str]:
        """Where to write: past the guard of plain prints, which would take our own colours for somebody else's."""
        return unguarded(super().file)

    @file.setter
    def file(self, new_file: IO[str]) -> None:
        self._file = new_file

    def on_broken_pipe(self) -> None:
        """Raise what any other print would raise; rich would exit with a code that is not in our table."""
        raise BrokenPipeError


class _AsText(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Put each thing to draw behind the guard."""
        return [_Guarded(one) for one in renderables]


class _Guarded:
    """Draws a thing, with the control characters in its words spelled out."""

    def __init__(self, inner: RenderableType) -> None:
        self._inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._inner, options):
            yield segment if segment.control else Segment(for_terminal(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Any:
        return console.measure(self._inner, options=options)

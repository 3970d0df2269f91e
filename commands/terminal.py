"""The terminal that commands draw on. Imported only when there is something to draw: rich takes its time to load."""

from __future__ import annotations

from rich.console import Console


class Terminal(Console):
    """A console that marks up nothing unasked, and leaves a reader that has gone to `cli.main`."""

    def __init__(self) -> None:
        super().__init__(highlight=False)

    def on_broken_pipe(self) -> None:
        """Raise what any other print would raise; rich would exit with a code that is not in our table."""
        raise BrokenPipeError

"""The reference: one page per table of the product, written from the code that uses it.

What is committed under these names says where to look on a forge, where nothing builds the site.
"""

from __future__ import annotations

from collections.abc import Callable

from .command_page import command_page
from .facts_page import facts_page, presets_page
from .run_page import events_page, exit_page
from .spec_page import spec_page

PAGES: dict[str, Callable[[], str]] = {
    "reference/spec.md": spec_page,
    "reference/commands.md": command_page,
    "reference/exit-codes.md": exit_page,
    "reference/events.md": events_page,
    "reference/presets.md": presets_page,
    "reference/facts.md": facts_page,
}

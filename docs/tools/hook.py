"""MkDocs calls this while it builds: reference pages are added, and shell examples get their real output."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

# MkDocs loads this file by its path, so relative imports have no package to start from.
from trainwright.docs.tools.reference import PAGES  # pyright: ignore[reportMissingImports]
from trainwright.docs.tools.transcript import Wrong, filled, shell  # pyright: ignore[reportMissingImports]


def on_files(files: Any, config: Any) -> Any:
    """Put the generated pages in the place of those that say where to look on a forge."""
    for name, make in PAGES.items():
        files.remove(files.get_file_from_path(name))
        files.append(File.generated(config, name, content=make()))
    with ThreadPoolExecutor() as pool:  # pages are independent; each then finds its output in the cache
        list(pool.map(_tried, [file.content_string for file in files.documentation_pages()]))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Run the page's shell examples. Ends the build when one does not end as the page says."""
    try:
        return _filled(markdown)
    except Wrong as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error


def _tried(markdown: str) -> None:
    with suppress(Wrong):  # the page is named when it is built
        _filled(markdown)


@cache
def _filled(markdown: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        return filled(markdown, shell(Path(folder)))

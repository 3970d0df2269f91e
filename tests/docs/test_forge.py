"""Pages as a forge shows them, straight from the repository: links lead somewhere, the tutorial has its output."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

from trainwright.docs.tools.fences import fences
from trainwright.docs.tools.transcript import is_recorded, is_run

ROOT = Path(__file__).parents[2]
COMMITTED = set(
    subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
)
PAGES = sorted(ROOT / name for name in COMMITTED if name.endswith(".md") and not name.startswith("tests/"))
_FENCE = re.compile(r"^([ ]*)(`{3,}).*?^\1\2[ ]*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(
    r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|<(?:a|img)[^>]*?(?:href|src)=\"([^\"]+)\""
)


def links(page: Path) -> list[str]:
    """Where a page leads inside the repository."""
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    found = [markdown or html for markdown, html in _LINK.findall(text)]
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as forges make them."""
    headings = re.findall(r"^#+\s+(.+?)\s*$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page: Path) -> None:
    """A committed file or folder, and in a page the heading that is named."""
    dead: list[str] = []
    for link in links(page):
        path, anchor = urldefrag(link)
        target = (page.parent / unquote(path)).resolve() if path else page
        name = str(target.relative_to(ROOT))
        known = name in COMMITTED or any(file.startswith(f"{name}/") for file in COMMITTED)
        if not known or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_the_tutorial_shows_what_every_command_prints() -> None:
    """The output is committed, so that it is there where nothing builds the site."""
    page = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    bare = [block.body for block in fences(page) if is_run(block) and not is_recorded(block)]
    assert bare == []

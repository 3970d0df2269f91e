"""The site builds without a warning, links lead somewhere, and nothing comes from the network."""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import yaml

from trainwright.docs.tools.reference import PAGES

ROOT = Path(__file__).parents[2]
LOADING = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page loads, links to, and offers as anchors."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag in LOADING and values.get("rel") != "canonical" and LOADING[tag] in values:
            self.loads.append(values[LOADING[tag]])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])


def leaves(nav: object) -> list[str]:
    """The pages of a navigation tree, in order."""
    if isinstance(nav, str):
        return [nav]
    parts = nav.values() if isinstance(nav, dict) else nav
    return [page for part in parts for page in leaves(part)]


def navigation() -> list[str]:
    """The pages of mkdocs.yml."""
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    return leaves(yaml.safe_load(text)["nav"])


def html(site: Path) -> list[Path]:
    """Every page of the built site."""
    return sorted(site.rglob("*.html"))


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    """Committed and generated pages are in the navigation once each, and each became an HTML page."""
    committed = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(navigation()) == sorted(committed | set(PAGES))
    assert len(html(site)) == len(navigation()) + 1  # 404.html


def test_nothing_is_loaded_from_the_network(site: Path) -> None:
    """No page and no style sheet names another host for what it loads."""
    outside = {f"{page.name}: {address}" for page in html(site) for address in Page(page).loads if "//" in address}
    styles = {
        f"{sheet.name}: {address}"
        for sheet in site.rglob("*.css")
        for address in re.findall(r"(?:url\(|@import )[\"']?((?:https?:)?//[^\"')]+)", sheet.read_text("utf-8"))
    }
    assert outside | styles == set()


def test_internal_links_lead_somewhere(site: Path) -> None:
    """Every relative link ends at a file of the site, and at an anchor of it when it names one."""
    pages = {page: Page(page) for page in html(site) if page.name != "404.html"}
    broken = []
    for page, content in pages.items():
        for link in content.links:
            path, anchor = urldefrag(link)
            if urlparse(link).scheme or link.startswith("//"):
                continue
            target = (page.parent / unquote(path)).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            known = pages[target].anchors if target in pages else set()
            if not target.exists() or (anchor and target in pages and anchor not in known):
                broken.append(f"{page.relative_to(site)}: {link}")
    assert broken == []


@pytest.mark.parametrize("name", ["index.html", "tutorial/index.html", "how-to/ci/index.html"])
def test_shell_examples_carry_output(site: Path, name: str) -> None:
    """A command on a page is followed by what it printed."""
    text = re.sub(r"<[^>]+>", "", (site / name).read_text(encoding="utf-8"))
    commands = re.findall(r"^\$ (?:trainwright|python) .*\n(.*)", text, re.MULTILINE)
    assert commands
    assert any(line.strip() and not line.startswith("$") for line in commands)

"""The site in a real headless Chromium, served on loopback: silent, alone, searchable, and readable on a phone."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from trainwright.tests.browser import MISSING, chromium

pytestmark = [pytest.mark.service, pytest.mark.skipif(bool(MISSING), reason=MISSING)]

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """Where the site is served, on a free port of loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One browser for all tests of the site."""
    with chromium() as driver:
        yield driver


def pages(site: Path) -> list[str]:
    """The address of every page, relative to the site."""
    return sorted(str(page.relative_to(site)).removesuffix("index.html") for page in site.rglob("index.html"))


def hosts(browser: Any) -> set[str]:
    """Hosts that the browser asked since this was last called."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return {url.split("/")[2] for url in urls if url.startswith(("http", "ws"))}


def wide(browser: Any) -> bool:
    """Whether the page as a whole must be scrolled sideways."""
    return browser.execute_script("return document.documentElement.scrollWidth > window.innerWidth")


def test_every_page_loads_silently_and_alone(browser: Any, site: Path, address: str) -> None:
    """No page writes to the console, and none asks another host for anything."""
    complaints = []
    for page in pages(site):
        browser.get(f"{address}/{page}")
        complaints += [f"{page}: {entry['message']}" for entry in browser.get_log("browser")]
    assert complaints == []
    assert hosts(browser) == {address.removeprefix("http://")}


def test_every_page_fits_a_phone(browser: Any, site: Path, address: str) -> None:
    """Wide tables and terminal output scroll inside their own box."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    too_wide = []
    for page in pages(site):
        browser.get(f"{address}/{page}")
        too_wide += [page] if wide(browser) else []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert too_wide == []


def test_search_finds_a_key_of_the_spec(browser: Any, address: str) -> None:
    """The search works without a network: the word of a key leads to the page of the spec."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(f"{address}/")
    box = browser.find_element(By.CSS_SELECTOR, "input.md-search__input")
    browser.execute_script("arguments[0].focus()", box)
    box.send_keys("power_cap_mode")
    found = WebDriverWait(browser, 20).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "a.md-search-result__link")
    )
    assert any("reference/spec/" in link.get_attribute("href") for link in found)


@pytest.mark.parametrize(("asked", "scheme"), [("dark", "slate"), ("light", "default")])
def test_dark_mode_follows_the_system(browser: Any, address: str, asked: str, scheme: str) -> None:
    """Who prefers dark gets the dark scheme without a click, and the light one again when that changes."""
    wish = [{"name": "prefers-color-scheme", "value": asked}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wish})
    browser.get(f"{address}/")
    assert browser.execute_script("return document.body.dataset.mdColorScheme") == scheme
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

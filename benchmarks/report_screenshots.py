"""Screenshots of a report's page, to look at: `python benchmarks/report_screenshots.py PAGE.html OUT_FOLDER`.

Writes desktop.png, dark.png, phone.png and print.pdf with Debian's Chromium (packages chromium, chromium-driver).
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
FORMS = {"desktop": (1280, False), "dark": (1280, True), "phone": (390, False)}
TALLEST = 8000  # pixels: what one picture can hold


def main(page: Path, out: Path) -> None:
    """Open the page in each form and keep what it looks like."""
    out.mkdir(parents=True, exist_ok=True)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    with tempfile.TemporaryDirectory() as profile:
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        for name, (width, dark) in FORMS.items():
            picture = shot(browser, page, width, dark=dark)
            (out / f"{name}.png").write_bytes(picture)
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
        (out / "print.pdf").write_bytes(base64.b64decode(printed["data"]))
        browser.quit()
    print(f"{len(FORMS) + 1} files in {out}")


def shot(browser: webdriver.Chrome, page: Path, width: int, *, dark: bool) -> bytes:
    """The whole page at a width in pixels, as PNG."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    browser.get(page.resolve().as_uri())
    height = min(browser.execute_script("return document.documentElement.scrollHeight"), TALLEST)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    shown = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    return base64.b64decode(shown["data"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

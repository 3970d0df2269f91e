"""The HTML page in a real headless Chromium: loads alone, sorts, zooms, shows values, fits a phone, prints."""

from __future__ import annotations

import base64
import copy

import pytest

from trainwright.report.build import build_report
from trainwright.report.formats.html import page
from trainwright.report.summary import report_document
from trainwright.tests.browser import MISSING, chromium
from trainwright.tests.report.folders import PLAN, restarted_run, whole_run

HOSTILE = "</script ><img src=x onerror=alert(1)>\"'&<b>"

pytestmark = [
    pytest.mark.service,
    pytest.mark.skipif(bool(MISSING), reason=MISSING),
]


@pytest.fixture(scope="module")
def browser():
    """One browser for all tests of the page."""
    with chromium() as driver:
        driver.set_window_size(1280, 900)
        yield driver


@pytest.fixture(scope="module")
def report_file(tmp_path_factory):
    """A page on two runs: one restarted, one with a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    plan = copy.deepcopy(PLAN)
    plan["name"] = HOSTILE
    runs = [restarted_run(folder / "restarted"), whole_run(folder / "whole", last=300, plan=plan)]
    file = folder / "report.html"
    file.write_text(page(report_document(build_report(runs))), encoding="utf-8")
    return file


@pytest.fixture
def opened(browser, report_file):
    """The page, fresh; afterwards the console must be silent."""
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(report_file.as_uri())
    yield browser
    assert browser.get_log("browser") == []


def _ticks(browser):
    texts = "[...document.querySelectorAll('#chart-loss text')].map((t) => t.textContent)"
    return browser.execute_script(f"return {texts}")


def _drag(browser, start, end):
    """Drag across the loss chart, from one share of its width to another."""
    from selenium.webdriver.common.action_chains import ActionChains

    chart = browser.find_element("id", "chart-loss")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    width = chart.size["width"]
    actions = ActionChains(browser, duration=50)
    actions.move_to_element_with_offset(chart, int(width * (start - 0.5)), 0).click_and_hold()
    actions.move_to_element_with_offset(chart, int(width * (end - 0.5)), 0).release().perform()


def test_the_page_loads_nothing_else(opened):
    """No request leaves the page, and every chart is drawn."""
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert len(opened.find_elements("css selector", "#charts svg path.line")) == 2 * 8


def test_hostile_names_are_text(opened):
    """A run's name is shown as it is, and runs nothing."""
    assert HOSTILE in opened.find_element("tag name", "h1").text
    assert opened.find_elements("css selector", "main img") == []
    assert HOSTILE in opened.find_element("id", "legend").text


def test_a_click_and_a_key_sort_a_table(opened):
    """A heading sorts by the unrounded number, first up then down, by mouse and by keyboard."""
    from selenium.webdriver.common.keys import Keys

    cells = "[...document.querySelectorAll('#emissions-main1 tbody tr')].map((r) => Number(r.cells[2].dataset.value))"
    button = opened.find_element("css selector", "#emissions-main1 th:nth-child(3) button")
    button.click()
    up = opened.execute_script(f"return {cells}")
    assert up == sorted(up)
    assert button.find_element("xpath", "..").get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.ENTER)
    assert opened.execute_script(f"return {cells}") == up[::-1]


def test_dragging_zooms_and_reset_goes_back(opened):
    """A drag zooms every chart to the span; the button and Esc go back to all of it."""
    from selenium.webdriver.common.keys import Keys

    before, reset = _ticks(opened), opened.find_element("id", "reset")
    assert not reset.is_enabled()
    _drag(opened, 0.3, 0.6)
    assert _ticks(opened) != before
    reset.click()
    assert _ticks(opened) == before
    _drag(opened, 0.3, 0.6)
    opened.find_element("id", "chart-loss").send_keys(Keys.ESCAPE)
    assert _ticks(opened) == before


def test_wheel_zooms_a_focused_chart_only(opened):
    """The wheel scrolls the page until a chart was clicked; then it zooms. Keys zoom too."""
    event = "new WheelEvent('wheel', {deltaY: -100, clientX: 600, clientY: 300, cancelable: true})"
    wheel = f"arguments[0].dispatchEvent({event})"
    chart, before = opened.find_element("id", "chart-loss"), _ticks(opened)
    opened.execute_script(wheel, chart)
    assert _ticks(opened) == before
    chart.click()
    opened.execute_script(wheel, chart)
    assert _ticks(opened) != before
    opened.find_element("id", "reset").click()
    chart.send_keys("+")
    assert _ticks(opened) != before


def test_hover_shows_both_runs_values(opened):
    """The pointer over a chart shows value, run and step of each line."""
    from selenium.webdriver.common.action_chains import ActionChains

    chart = opened.find_element("id", "chart-loss")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    ActionChains(opened, duration=50).move_to_element(chart).perform()
    tip = opened.find_element("id", "tip")
    assert tip.is_displayed()
    assert tip.text.count("step") == 2


def test_marks_stand_on_the_curve(opened):
    """One restart, ten and three checkpoints, a fault and a gap, on each chart."""
    counts = {
        kind: len(opened.find_elements("css selector", f"#chart-loss .mark-{kind}"))
        for kind in ("restart", "checkpoint", "fault", "gap")
    }
    assert counts == {"restart": 1, "checkpoint": 13, "fault": 1, "gap": 1}


def test_the_bar_to_be_beaten_is_drawn(opened):
    """The loss that token frequencies alone would reach is a level in the loss chart, for each run."""
    assert len(opened.find_elements("css selector", "#chart-loss line.bar")) == 2
    assert "token frequencies alone" in _ticks(opened)


def test_axis_legend_and_log_redraw(opened):
    """Choosing another axis, hiding a run and a log axis change what is drawn."""
    opened.find_element("css selector", "#axis input[value=carbon_tonnes] + span").click()
    assert "Carbon (gCO2eq)" in _ticks(opened)
    opened.find_element("css selector", "#legend button").click()
    assert len(opened.find_elements("css selector", "#chart-loss path.line")) == 1
    linear = _ticks(opened)
    opened.find_element("id", "log").click()
    assert _ticks(opened) != linear


def test_a_phone_needs_no_sideways_scrolling(opened):
    """At 390 pixels the page is as wide as the screen; wide tables scroll in their own frame."""
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    opened.refresh()
    assert opened.execute_script("return document.documentElement.scrollWidth") == 390


def test_dark_mode_follows_the_system(opened):
    """With a dark preference the paper is dark and the ink is light."""
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = opened.execute_script(colour)
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    )
    dark = opened.execute_script(colour)
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(15, 19, 25)")


def test_the_page_prints(opened):
    """Printing gives a PDF of several pages."""
    pdf = base64.b64decode(opened.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    assert pdf.count(b"/Type /Page\n") >= 3

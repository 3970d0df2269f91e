"""The order of the tests, how examples are drawn, and the totals of fault campaigns."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes on a loaded machine is no property of the code.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Services first: one worker mostly waits for them while the others compute."""
    items.sort(key=lambda item: item.get_closest_marker("service") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each campaign has done: a line that docs/explanation/reliability.md can quote."""
    ended = (report for reports in terminalreporter.stats.values() for report in reports)
    ended = (report for report in ended if getattr(report, "when", "") == "teardown")
    totals = [value for report in ended for name, value in report.user_properties if name == "campaign"]
    if totals:
        terminalreporter.section("campaigns")
        terminalreporter.write_line("\n".join(map(str, totals)))

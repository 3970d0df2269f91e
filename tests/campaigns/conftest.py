"""Fault campaigns: many seeded cases, each of which can be run again by its number.

`CAMPAIGN=SEED:FIRST:COUNT` chooses the cases of a full campaign, `1:417:1` the one that a failure names. Totals are
printed at the end of the session (tests/conftest.py).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest


class Campaign:
    """Numbered cases of one kind of fault, and what came of them."""

    def __init__(self, name: str, seed: int, numbers: range) -> None:
        self.name, self.seed, self.numbers = name, seed, numbers
        self.totals: dict[str, int] = {}
        self.case = ""

    def cases(self) -> Iterator[random.Random]:
        """The luck of each case: a function of seed and number alone."""
        for number in self.numbers:
            self.case = f"{self.seed}:{number}:1"
            yield random.Random(f"{self.name}/{self.seed}/{number}")  # noqa: S311 - not a secret
            self.count("cases")

    def count(self, what: str) -> None:
        """One more of `what`."""
        self.totals[what] = self.totals.get(what, 0) + 1

    def __str__(self) -> str:
        totals = ", ".join(f"{count:,} {what}" for what, count in self.totals.items())
        return f"{self.name}: seed {self.seed}, {totals}"


@pytest.fixture
def campaign(request, record_property) -> Iterator[Campaign]:
    """The campaign of this test: few cases, or with the mark `slow` as many as it asks for."""
    seed, first, count = map(int, os.environ.get("CAMPAIGN", f"1:0:{request.param}").split(":"))
    made = Campaign(request.node.originalname, seed, range(first, first + count))
    yield made
    record_property("campaign", str(made))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failure names its case."""
    report = yield
    made = getattr(item, "funcargs", {}).get("campaign")
    if report.failed and made is not None:
        report.sections.append(("campaign", f"again with: CAMPAIGN={made.case}"))
    return report

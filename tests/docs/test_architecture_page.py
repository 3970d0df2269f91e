"""The architecture page: each file that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(r"`((?:[a-z_]+/)+(?:[\w.-]+)?)`", PAGE)))


@pytest.mark.parametrize("path", PATHS)
def test_every_named_path_exists(path):
    """A reader who follows the page, file by file, never ends nowhere."""
    assert (ROOT / path).exists()


def test_the_walks_are_read():
    """The pattern finds the paths at all."""
    assert {"spec/cluster.py", "runtime/train/step.py", "report/tables/emissions.py"} <= set(PATHS)

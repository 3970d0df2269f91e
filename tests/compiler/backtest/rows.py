"""Rows of a file of runs as typed values."""

from __future__ import annotations

import json
from pathlib import Path

from trainwright.compiler.backtest.published_run import PublishedRun
from trainwright.compiler.backtest.read_runs import read_runs


def run(row: dict) -> PublishedRun:
    """The run that `row` describes, read as a file with that one row would be."""
    (found,) = read_runs(Path("runs.yaml"), json.dumps([row]))
    return found

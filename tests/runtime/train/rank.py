"""One rank of a run, in a forked process: `arguments`, `environment` and `output` come from `Ranks`."""

from __future__ import annotations

import os
from pathlib import Path

from trainwright.runtime.train.__main__ import main

given = globals()
os.environ.update(given["environment"])
with Path(given["output"]).open("ab") as file:
    os.dup2(file.fileno(), 1)
    os.dup2(file.fileno(), 2)
main(given["arguments"])

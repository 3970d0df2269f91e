"""`python -m trainwright.runtime.preflight --bundle DIR --run DIR`: the checks as a table; exit 2 when one fails."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...spec.exit_codes import Exit
from ...spec.plan import read_plan
from .machine import disk_space, disk_speed, memory, processors
from .table import show


def main() -> int:
    """Run every check that applies and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    plan, run = read_plan(options.bundle), options.run
    run.mkdir(parents=True, exist_ok=True)
    findings = [processors(plan), memory(plan), disk_space(plan, run), disk_speed(plan, run)]
    show(findings)
    return Exit.INPUT if any(finding.state == "fail" for finding in findings) else Exit.DONE


if __name__ == "__main__":
    sys.exit(main())

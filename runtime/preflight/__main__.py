"""`python -m trainwright.runtime.preflight --bundle DIR --run DIR`: the checks as a table; exit 2 when one fails.

Started by itself it looks at this machine; as a rank of a launcher, at all nodes and the network between them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ...spec.exit_codes import Exit
from ...spec.plan import read_plan
from .machine import check_machine
from .table import show


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every check that applies and print the table."""
    parser = argparse.ArgumentParser(prog="trainwright.runtime.preflight", description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args(arguments)
    plan, run = read_plan(options.bundle), options.run
    run.mkdir(parents=True, exist_ok=True)
    rank = 0
    if "RANK" in os.environ:
        from .all_nodes import check_all_nodes

        rank, findings = check_all_nodes(plan, run)
    else:
        findings = check_machine(plan, run)
    if rank == 0:
        show(findings)
    return Exit.INPUT if any(finding.state == "fail" for finding in findings) else Exit.DONE


if __name__ == "__main__":
    sys.exit(main())

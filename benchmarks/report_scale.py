"""How long a report takes at scale, and how much memory: of many runs, and of one long run with many devices.

    python -m trainwright.benchmarks.report_scale --runs 1000
    python -m trainwright.benchmarks.report_scale --steps 1000000 --devices 1000

Prints CPU seconds, the peak of memory and the size of the page. The aims: 60 s, 2 GiB, 5 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from trainwright.report.build import build_report
from trainwright.report.write import write_report
from trainwright.tests.report.folders import Log

EVERY = 500  # steps between two looks at the devices
STEPS = 200  # of each of many runs


def many(folder: Path, runs: int) -> list[Path]:
    """Short runs."""
    found: list[Path] = []
    for index in range(runs):
        log = Log()
        log.start()
        log.steps(1, STEPS)
        log.stop(STEPS)
        found.append(log.write(folder / f"run-{index:04d}"))
    return found


def long(folder: Path, steps: int, devices: int) -> list[Path]:
    """One run, its log written in pieces."""
    log = Log()
    log.start()
    run = log.write(folder / "long")
    with (run / "events.jsonl").open("a", encoding="utf-8") as file:
        for first in range(1, steps + 1, EVERY):
            log.lines.clear()
            last = min(first + EVERY - 1, steps)
            log.steps(first, last)
            log.add(
                "devices", node="n1", step=last, seconds=float(EVERY), ranks=list(range(devices)),
                device=[f"GPU-{rank}" for rank in range(devices)], joules=[190_000.0] * devices,
                watts=[380.0] * devices, clock_mhz=[1410.0] * devices, own_seconds=[0.9] * devices,
            )  # fmt: skip
            file.writelines(_line(event) for event in log.lines)
    return [run]


def _line(event: object) -> str:
    return json.dumps(event, separators=(",", ":")) + "\n"


def main() -> None:
    """Write the runs, report them, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--devices", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        runs = many(folder, given.runs) if given.runs else long(folder, given.steps, given.devices)
        begun = time.process_time()
        written = write_report(build_report(runs), folder / "report")
        seconds = time.process_time() - begun
        page = next(path for path in written if path.suffix == ".html").stat().st_size
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{seconds:.1f} s of CPU, {peak:.2f} GiB, page {page / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

"""How long the planner and the estimate take: processor time, cold and warm.

python benchmarks/estimator_speed.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

from trainwright.compiler.load import load
from trainwright.compiler.plan.estimate import estimate
from trainwright.compiler.plan.layout_search import choose, search

EXAMPLE = Path(__file__).parents[1] / "examples" / "llama2-70b.yaml"


def cold(*arguments: str) -> float:
    """Processor seconds of one command in a fresh process, the best of five."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", "from trainwright.cli import main; main()", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> None:
    """Print a table."""
    print("| What | Processor seconds |\n| --- | ---: |")
    print(f"| `trainwright estimate` of Llama 2 70B, cold | {cold('estimate', str(EXAMPLE)):.2f} |")
    for gpus in (2048, 16384):
        spec = load(EXAMPLE, [f"cluster.gpus={gpus}", "training.global_batch=64M tokens"]).spec
        start = time.process_time()
        found = search(spec)
        print(f"| search of {len(found.candidates)} layouts of {gpus:,} GPUs | {time.process_time() - start:.3f} |")
    spec = load(EXAMPLE).spec
    layout = choose(spec)
    start = time.process_time()
    for _ in range(100):
        estimate(spec, layout)
    print(f"| one warm estimate | {(time.process_time() - start) / 100:.5f} |")


if __name__ == "__main__":
    main()

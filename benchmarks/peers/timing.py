"""What every peer measures and prints: wall-clock and processor seconds of each optimizer step, as one JSON line."""

import json
import time


class Clock:
    """Marks the end of each step."""

    def __init__(self) -> None:
        self.marks = [(time.perf_counter(), time.process_time())]

    def step(self) -> None:
        """A step has just ended."""
        self.marks.append((time.perf_counter(), time.process_time()))

    def report(self, losses: list[float]) -> None:
        """Print the spans of the steps, and the losses for a look at whether the same thing was trained."""
        pairs = list(zip(self.marks, self.marks[1:], strict=False))
        wall = [after[0] - before[0] for before, after in pairs]
        cpu = [after[1] - before[1] for before, after in pairs]
        print(json.dumps({"wall": wall, "cpu": cpu, "losses": losses}), flush=True)

"""What a step costs besides its arithmetic: `python benchmarks/overhead.py [--spec S] [--steps N] [--threads T]`.

In one process, in turn, on the same samples: a bare loop (the model, torch's fused AdamW, clipping) and Trainwright's
whole step. Shares are medians over the turns of processor seconds against the bare step of the same turn, so that
neither other load nor a slow minute decides. Whole steps differ by more than what is looked for, from one turn to the
next: so the parts are clocked inside the whole step. DeepSpeed's is what its engine takes after the backward pass,
less what clipping and AdamW take in the bare step. For the allocator of a real run, source the env.sh of a bundle
first.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from throughput import common, prepared

WARM = 3  # turns that allocate and tune

Part = Callable[[], object]


class Clock:
    """Processor seconds spent in the calls that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, clocked."""

        def clocked(*arguments: Any, **named: Any) -> Any:
            began = time.process_time()
            try:
                return call(*arguments, **named)
            finally:
                self.seconds += time.process_time() - began

        return clocked

    def taken(self) -> float:
        """Seconds since the last call."""
        seconds, self.seconds = self.seconds, 0.0
        return seconds


def bare_step(plan: Any, tokens: Any, targets: Any, clock: Clock) -> Part:
    """A step of the plainest loop that does the same arithmetic; its update is clocked."""
    import torch

    from trainwright.runtime.engine.optimizer import adamw, apply_hyperparameters
    from trainwright.runtime.model.llama import Llama, build

    model = build(lambda: Llama(plan.model), "cpu", plan.training.seed)
    optimizer = adamw(model, plan.training.optimizer)
    apply_hyperparameters(optimizer, plan.training.optimizer, 1e-4)

    def update() -> None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), plan.training.optimizer.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()

    clocked = clock.around(update)

    def step() -> None:
        model(tokens, targets=targets).backward()
        clocked()

    return step


def measure(bundle: Path, folder: Path, steps: int) -> dict[str, list[float]]:
    """Processor seconds of each part, turn by turn."""
    from trainwright.runtime.data.dataset import Dataset
    from trainwright.runtime.parallel.world import init_process_group
    from trainwright.runtime.train.__main__ import train_step
    from trainwright.runtime.train.session import Session
    from trainwright.runtime.train.setup import build_session
    from trainwright.spec.plan import read_plan
    from trainwright.spec.run_folder import RunFolder

    plan = read_plan(bundle)
    session = build_session(bundle, plan, RunFolder(folder), init_process_group(plan))
    clocks = {name: Clock() for name in ("update", "DeepSpeed", "data", "log", "meter")}
    inside = [("data", Dataset, "batch"), ("log", Session, "tell"), ("meter", Session, "charge")]
    inside += [("DeepSpeed", session.engine, "step"), ("DeepSpeed", session.engine, "_backward_epilogue")]
    for name, owner, method in inside:
        setattr(owner, method, clocks[name].around(getattr(owner, method)))
    batch = session.train.batch(range(plan.layout.global_batch), 0, 0)
    whole = {
        "bare": bare_step(plan, batch.tokens, batch.targets, clocks["update"]),
        "Trainwright": lambda: train_step(session),
    }
    found: dict[str, list[float]] = {name: [] for name in (*whole, *clocks)}
    for turn in range(WARM + steps):
        spent = {name: clocked(step) for name, step in whole.items()} | {n: c.taken() for n, c in clocks.items()}
        spent["DeepSpeed"] -= spent["update"]
        if turn >= WARM:
            for name, seconds in spent.items():
                found[name].append(seconds)
    session.close()
    return found


def clocked(step: Part) -> float:
    """Processor seconds of a step."""
    began = time.process_time()
    step()
    return time.process_time() - began


def main() -> None:
    """Measure and print the table."""
    chosen = common(__doc__, steps=15).parse_args()
    os.environ |= {"OMP_NUM_THREADS": str(chosen.threads), "DS_ACCELERATOR": "cpu"}
    with tempfile.TemporaryDirectory() as place:
        bundle, folder = prepared(chosen, Path(place), dict(os.environ))
        found = measure(bundle, folder, chosen.steps)
    bare = found.pop("bare")
    print(f"bare step: {median(bare):.4f} processor seconds, {len(bare)} turns")
    share = {name: median(mine / base for mine, base in zip(spent, bare, strict=True)) for name, spent in found.items()}
    print(f"Trainwright step   {share['Trainwright'] - 1:+.2%} of the bare step")
    for name in ("DeepSpeed", "data", "log", "meter"):
        print(f"  of it {name:12} {share[name]:.3%}")


if __name__ == "__main__":
    main()

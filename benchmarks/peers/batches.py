"""The same batches for every peer: the samples of a prepared run, in its order."""

import sys
from pathlib import Path

import torch

from trainwright.runtime.data.dataset import Dataset, open_dataset
from trainwright.spec.plan import Plan, read_plan
from trainwright.spec.run_folder import RunFolder


def arguments() -> tuple[Plan, Dataset, int]:
    """From `BUNDLE RUN STEPS`: the plan, its training data, and the number of steps."""
    plan = read_plan(Path(sys.argv[1]))
    return plan, open_dataset(plan, RunFolder(Path(sys.argv[2])), "train"), int(sys.argv[3])


def batch(data: Dataset, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens and targets [sequences, time] of one optimizer step (the layout has neither ranks nor accumulation)."""
    size = data.layout.global_batch
    micro = data.batch(range(step * size, (step + 1) * size), 0, 0)
    return micro.tokens, micro.targets


def groups(model: torch.nn.Module, decay: float) -> list[dict]:
    """Matrices decay, vectors do not."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]

"""The optimizer and its schedule: AdamW as in the Llama 2 paper, with the learning rate computed here.

DeepSpeed's schedulers gave a first step of zero and collapsed parameter groups, so the loop sets the rate itself.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ...spec.sections import Optimizer


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: matrices with weight decay, vectors (norm weights) without."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if _dimensions(p) > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if _dimensions(p) <= 1], "weight_decay": 0.0},
    ]


def _dimensions(parameter: Any) -> int:
    """Dimensions of the whole parameter: under ZeRO-3 what is here is a flat piece."""
    return len(getattr(parameter, "ds_shape", parameter.shape))


def adamw(model: nn.Module, settings: Optimizer) -> torch.optim.AdamW:
    """AdamW over the model's parameters, at rate zero until the loop sets it.

    torch's own fused kernel, on CPU as on CUDA: DeepSpeed's would be compiled on the user's machine first.
    """
    betas = (settings.beta1, settings.beta2)
    return torch.optim.AdamW(
        parameter_groups(model, settings.weight_decay), lr=0.0, betas=betas, eps=settings.eps, fused=True
    )


def apply_hyperparameters(optimizer: Any, settings: Optimizer, rate: float) -> None:
    """Set every hyperparameter of `optimizer` from the plan.

    Each step, not once: a restored checkpoint brings its own values along, and OPT-175B trained on the old ones
    without noticing.
    """
    for group in optimizer.param_groups:
        group.update(lr=rate, betas=(settings.beta1, settings.beta2), eps=settings.eps)
        if group["weight_decay"]:
            group["weight_decay"] = settings.weight_decay

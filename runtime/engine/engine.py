"""The DeepSpeed engine of a plan: the model, its optimizer, and the checked configuration of the bundle."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from ...spec.foreign_files import parse_json
from ...spec.plan import Plan
from ...spec.problem import InputError, Problem
from ..model.attention import causal_attention
from ..model.llama import TORCH_DTYPE, InitialWeights, Layer, Llama, build
from ..parallel.ulysses import Ulysses, sequence_group
from ..parallel.world import World
from .checkpoint_engine import DurableCheckpointEngine
from .optimizer import adamw


def read_config(bundle: Path, plan: Plan) -> dict[str, Any]:
    """The bundle's ds_config.json. Raises InputError when it does not belong to the plan.

    DeepSpeed ignores unknown keys and corrects a batch that does not add up, so what matters is compared here.
    """
    config = parse_json((bundle / "ds_config.json").read_text(encoding="utf-8"))
    layout, training = plan.layout, plan.training
    wanted = {
        "train_micro_batch_size_per_gpu": (config.get("train_micro_batch_size_per_gpu"), layout.micro_batch),
        "gradient_accumulation_steps": (config.get("gradient_accumulation_steps"), layout.accumulation),
        "gradient_clipping": (config.get("gradient_clipping"), training.optimizer.gradient_clip),
        "zero_optimization.stage": (config.get("zero_optimization", {}).get("stage"), layout.zero),
        "bf16.enabled": (config.get("bf16", {}).get("enabled", False), training.precision == "bf16"),
        "the global batch": (layout.global_batch, plan.schedule.sequences_per_step),
    }
    wrong = [
        Problem("TW712", "error", f"ds_config.json says {found!r}, the plan {right!r}", "compile the spec again", key)
        for key, (found, right) in wanted.items()
        if found != right
    ]
    if wrong:
        raise InputError(wrong)
    return config


def build_engine(plan: Plan, config: dict[str, Any], world: World, given: InitialWeights | None = None) -> Any:
    """Build the model and wrap it."""
    import deepspeed

    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    ranks = None
    if plan.layout.pipeline > 1:
        from .process_groups import register_pipeline_groups

        ranks = register_pipeline_groups(world)
    model = build_model(plan, config, world, given)
    if plan.layout.zero == 3:
        # A layer's weights come in one gather: the first that it needs brings all (the estimate's `collectives`).
        deepspeed.utils.set_z3_leaf_modules(model, [Layer])
    optimizer = adamw(model, plan.training.optimizer)
    with _zero_in_every_stage():
        engine, *_ = deepspeed.initialize(model=model, optimizer=optimizer, config=config, mpu=ranks)
    if world.device.type == "cuda" and plan.layout.zero < 3:
        _order_instead_of_waiting(engine.optimizer)
    engine.checkpoint_engine = DurableCheckpointEngine(background=plan.training.checkpoint.asynchronous)
    # DeepSpeed would add scripts to every checkpoint, past our hashes; a checkpoint holds no programs.
    setattr(engine, "_copy_recovery_script", _skip_recovery_script)  # noqa: B010 - not ours to name directly
    if plan.training.compile:
        engine.compile()
    return engine


def build_model(plan: Plan, config: dict[str, Any], world: World, given: InitialWeights | None = None) -> Llama:
    """This rank's part of the model: of the same weights, given or from the seed, whatever the layout."""
    layout = plan.layout
    attention = causal_attention
    if layout.sequence > 1:
        attention = Ulysses(sequence_group(layout.sequence, layout.tensor))

    def llama() -> Llama:
        return Llama(plan.model, attention, layout.activation_checkpointing, given, world.stage)

    if layout.tensor > 1:
        from ..parallel.tensor_parallel import build_tensor_parallel  # the layers of DeepSpeed come with it

        return build_tensor_parallel(llama, plan, config, world)
    if layout.zero == 3:
        return _build_sharded(llama, config, plan.training.seed)
    return build(llama, world.device, plan.training.seed, TORCH_DTYPE[plan.training.precision])


@contextmanager
def _zero_in_every_stage() -> Generator[None]:
    """Let DeepSpeed's one ZeRO optimizer run stage 1 in bf16 as it does in fp16 and fp32.

    By itself DeepSpeed (0.19.8) takes BF16_Optimizer there, which keeps fp32 gradients of the whole model even where no
    micro batches are to be added up, and reduces them after the backward pass instead of during it.
    """
    from deepspeed.runtime.engine import ZERO_OPTIMIZATION, DeepSpeedEngine

    with patch.object(DeepSpeedEngine, "_do_optimizer_sanity_check", return_value=ZERO_OPTIMIZATION):
        yield


def _order_instead_of_waiting(optimizer: Any) -> None:
    """After a backward pass, let the compute stream wait for the reductions, not the host for the whole device.

    DeepSpeed's ZeRO 1 and 2 (0.19.8) synchronise there before they free gradients that were reduced: the order of the
    streams is enough, since memory that is freed is given to the same stream again.
    """
    from deepspeed.accelerator import get_accelerator

    finish = optimizer.independent_gradient_partition_epilogue

    def order() -> None:
        torch.cuda.current_stream().wait_stream(optimizer.reduction_stream)

    def finish_in_order() -> None:
        with patch.object(get_accelerator(), "synchronize", order):
            finish()

    optimizer.independent_gradient_partition_epilogue = finish_in_order


def _build_sharded(llama: Callable[[], Llama], config: dict[str, Any], seed: int) -> Llama:
    """A model of which no rank ever holds more than one whole parameter: what ZeRO-3 is chosen for may fit nowhere."""
    from deepspeed import zero

    with zero.Init(config_dict_or_path=config):
        model = llama()

    def gathered() -> Iterator[tuple[str, Tensor]]:
        for name, parameter in model.named_parameters():
            with zero.GatheredParameters([parameter], modifier_rank=0):
                yield name, parameter

    model.initialize(seed, gathered())
    return model


def clear_gradients(engine: Any) -> None:
    """After a skipped step: clear what DeepSpeed keeps of its gradients.

    With CPU offload its ZeRO-1 and 2 clear them only after an update (0.19.8), so that one NaN would spoil every step
    to come.
    """
    optimizer = engine.optimizer
    if getattr(optimizer, "cpu_offload", False):
        for group in optimizer.averaged_gradients:
            optimizer.averaged_gradients[group] = None


def replica_group() -> Any:
    """The process group of the ranks that hold the same part of the model."""
    from deepspeed.utils import groups

    return vars(groups)["_get_data_parallel_group"]()


def _skip_recovery_script(folder: str) -> None:
    del folder


def random_state(world: World) -> dict[str, list[int]]:
    """The random generators of this process, as plain JSON."""
    state = {"cpu": torch.get_rng_state().tolist()}
    if world.device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(world.device).tolist()
    return state


def restore_random_state(state: dict[str, list[int]], world: World) -> None:
    """Put the random generators back."""
    torch.set_rng_state(torch.tensor(state["cpu"], dtype=torch.uint8))
    if world.device.type == "cuda":
        torch.cuda.set_rng_state(torch.tensor(state["cuda"], dtype=torch.uint8), world.device)

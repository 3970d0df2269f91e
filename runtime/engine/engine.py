"""The DeepSpeed engine of a plan: the model, its optimizer, and the checked configuration of the bundle."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor

from ...spec.foreign_files import parse_json
from ...spec.plan import Plan
from ...spec.problem import InputError, Problem
from ..model.attention import causal_attention
from ..model.llama import TORCH_DTYPE, InitialWeights, Layer, Llama, build
from ..model.lm_head import LossTerms
from ..parallel.tied_embedding import TiedEmbedding
from ..parallel.ulysses import Ulysses, sequence_group
from ..parallel.world import World
from . import deepspeed_private
from .checkpoint_engine import DurableCheckpointEngine
from .optimizer import adamw
from .protocol import Engine


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


def build_engine(plan: Plan, config: dict[str, Any], world: World, given: InitialWeights | None = None) -> Engine:
    """Build the model and wrap it."""
    import deepspeed

    deepspeed_private.never_build_operators(world.device)
    logging.getLogger("DeepSpeed").setLevel(logging.WARNING)
    ranks = None
    if plan.layout.pipeline > 1:
        from .process_groups import register_pipeline_groups

        ranks = register_pipeline_groups(world)
    model = build_model(plan, config, world, given)
    if plan.layout.zero == 3:
        # A layer's weights come in one gather: the first that it needs brings all (the estimate's `collectives`).
        deepspeed.utils.set_z3_leaf_modules(model, [Layer])
    if plan.training.compile:
        model.compile_functions()
    optimizer = adamw(model, plan.training.optimizer)
    with deepspeed_private.one_zero_optimizer():
        engine: Any = deepspeed.initialize(model=model, optimizer=optimizer, config=config, mpu=ranks)[0]
    if plan.model.tied_embeddings and world.stage.first != world.stage.last:
        model.tied_stages = TiedEmbedding(model, world)
    if world.device.type == "cuda" and plan.layout.zero < 3:
        deepspeed_private.order_instead_of_waiting(engine.optimizer)
    engine.checkpoint_engine = DurableCheckpointEngine(background=plan.training.checkpoint.asynchronous)
    deepspeed_private.leave_out_recovery_script(engine)
    return engine


def build_model(plan: Plan, config: dict[str, Any], world: World, given: InitialWeights | None = None) -> Llama:
    """This rank's part of the model: of the same weights, given or from the seed, whatever the layout."""
    deepspeed_private.never_build_operators(world.device)
    layout = plan.layout
    attention = causal_attention
    if layout.sequence > 1:
        attention = Ulysses(sequence_group(layout.sequence, layout.tensor))

    def llama() -> Llama:
        return Llama(plan.model, attention, layout.activation_checkpointing, given, world.stage)

    if layout.tensor > 1:
        from .tensor_parallel import build_tensor_parallel  # the layers of DeepSpeed come with it

        model = build_tensor_parallel(llama, plan, config, world)
    elif layout.zero == 3:
        model = _build_sharded(llama, config, plan.training.seed)
    else:
        model = build(llama, world.device, plan.training.seed, TORCH_DTYPE[plan.training.precision])
    if model.lm_head is not None:
        model.lm_head.terms = LossTerms(plan.model.logit_softcap, plan.training.z_loss)
    return model


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


def tensor_group() -> Any:
    """The process group of the ranks that hold slices of the same matrices, and the same norms whole."""
    from deepspeed.utils import groups

    return groups.get_tensor_model_parallel_group()

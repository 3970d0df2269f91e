"""ds_config.json: the DeepSpeed settings of a plan, built as a dict so that every key can be checked.

Combinations that DeepSpeed 0.19 accepts and gets wrong in silence are refused here, each with its reason.
"""

from __future__ import annotations

from typing import Any

from ...spec.plan import Plan
from ...spec.problem import MissedRuleError
from ..cost.gradient_bucket import bucket_elements
from ..cost.runtime_memory import LIVE_LAYERS


def deepspeed_config(plan: Plan) -> dict[str, Any]:
    """The configuration of `plan`."""
    _require_sound(plan)
    layout = plan.layout
    config: dict[str, Any] = {
        "train_micro_batch_size_per_gpu": layout.micro_batch,
        "gradient_accumulation_steps": layout.accumulation,
        # Always said: DeepSpeed's default changed from none to 1.0 within a minor release (0.19.3).
        "gradient_clipping": plan.training.optimizer.gradient_clip,
        "zero_optimization": _zero(plan),
        # By default gradients of several micro batches, and of the ranks, are added up in 16 bits: over a thousand
        # ranks that agree, a bf16 sum is wrong by a third (simulated ring).
        "data_types": {"grad_accum_dtype": "fp32"},
        "communication_data_type": "fp32",
        # Two device synchronisations a micro batch, and torch.compile cannot trace them.
        "timers": {"throughput": {"enabled": False}},
        # The optimizer is PyTorch's AdamW; DeepSpeed needs to know that before it shards its state.
        "zero_allow_untested_optimizer": True,
        # The loop logs; DeepSpeed does not.
        "steps_per_print": 2**31 - 1,
        "wall_clock_breakdown": False,
    }
    if plan.training.precision != "fp32":
        config[plan.training.precision] = {"enabled": True}
    if layout.offload != "none":
        # PyTorch's AdamW runs on the CPU as well; DeepSpeed's own would be compiled on the user's machine first.
        config["zero_force_ds_cpu_optimizer"] = False
    if layout.tensor > 1:
        config["tensor_parallel"] = _tensor_parallel(layout.tensor)
    return config


def _require_sound(plan: Plan) -> None:
    """Raise MissedRuleError for a layout that DeepSpeed accepts and trains wrongly, or that the loop cannot run."""
    layout = plan.layout
    rules = (
        (layout.zero == 0, "TW313", "ZeRO-0 misreports gradient norms and ignores fp32 accumulation"),
        (layout.shard_group > 0 and layout.tensor > 1, "TW313", "hpZ mixes up the weights of tensor-parallel ranks"),
        (layout.shard_group > 0 and layout.zero != 3, "TW313", "only ZeRO-3 has shard groups (hpZ)"),
        (layout.pipeline > 1 and layout.zero != 1, "TW303", "higher ZeRO stages take weights from pipeline stages"),
        (layout.context > 1, "TW201", "the training loop does not run context parallelism"),
        (plan.model.kv_heads % layout.tensor != 0, "TW302", "tensor-parallel ranks share a key/value head"),
    )
    for broken, rule, message in rules:
        if broken:
            raise MissedRuleError(rule, message)


def _zero(plan: Plan) -> dict[str, Any]:
    layout, shape = plan.layout, plan.model.shape
    bucket = bucket_elements(shape, layout.tensor)
    zero: dict[str, Any] = {
        "stage": layout.zero,
        "contiguous_gradients": True,
        # Two buffers take turns: one is reduced while the backward pass fills the other. Stages 1 and 2 raced there
        # (DeepSpeed issues 5545, 7188, 8061) until each side waited for the other's stream; 0.19.8 has that.
        "overlap_comm": True,
        "reduce_scatter": True,
        "reduce_bucket_size": bucket,
        "allgather_bucket_size": bucket,
    }
    if layout.zero == 3:
        zero |= _stage3(plan)
    if layout.offload == "optimizer":
        zero["offload_optimizer"] = {"device": "cpu", "pin_memory": plan.device.kind == "cuda"}
    return zero


def _stage3(plan: Plan) -> dict[str, Any]:
    """Whole layers are gathered (`runtime/engine/engine.py`), each while the one before computes."""
    layout, shape = plan.layout, plan.model.shape
    layer = shape.layer_parameters // layout.tensor
    table = shape.vocab_size * shape.hidden_size // layout.tensor
    sharded: dict[str, Any] = {
        "stage3_prefetch_bucket_size": layer,
        "stage3_max_reuse_distance": layer,
        "stage3_max_live_parameters": LIVE_LAYERS * layer + table,
        # Norms travel with their layer; whole on every rank, each would be gathered by itself after every update.
        "stage3_param_persistence_threshold": 0,
        "stage3_gather_16bit_weights_on_model_save": False,
    }
    if layout.shard_group > 1:
        # A second copy within the group keeps the backward pass's all-gathers on the node's own links.
        sharded["zero_hpz_partition_size"] = layout.shard_group
    return sharded


def _tensor_parallel(ranks: int) -> dict[str, Any]:
    """Which matrices AutoTP splits; it touches nothing else (names: `runtime/model/llama.py`)."""
    across = [
        r".*\.[qkv]_proj\.weight$",
        r".*\.(up|gate)_proj\.weight$",
        r".*embed_tokens\.weight$",
        r"lm_head\.weight$",
    ]
    column = {"patterns": across, "partition_type": "column"}
    row = {"patterns": [r".*\.o_proj\.weight$", r".*\.down_proj\.weight$"], "partition_type": "row"}
    return {"autotp_size": ranks, "partition_config": {"use_default_specs": False, "layer_specs": [row, column]}}

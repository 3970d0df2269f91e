"""Tensor parallelism (arXiv 1909.08053): each rank builds its own slices of the matrices, and never the whole model.

The layers are DeepSpeed's, cut while they have no memory yet as the bundle's `partition_config` says, so that its
gradient norms and checkpoints know them. What they compute is ours: under torch.compile DeepSpeed's (0.19.8) loses the
sums of gradients over the ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import deepspeed
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own idiom
from deepspeed import zero
from deepspeed.checkpoint.constants import DS_AUTOTP_UC_META, UNIVERSAL_CHECKPOINT_INFO
from deepspeed.module_inject import set_autotp_mode
from deepspeed.module_inject.autotp_config import AutoTPConfig, PartitionType
from deepspeed.module_inject.layers import LinearAllreduce, LinearLayer, collect_autotp_universal_checkpoint_info
from deepspeed.utils import groups
from torch import Tensor, distributed, nn

from ...spec.plan import Plan
from ..model.llama import TORCH_DTYPE, FeedForward, Llama
from ..model.lm_head import Chunks, Head, LossTerms, chunk_rows, mean_loss, with_z_loss
from ..model.norm_rope import Norm, normalised
from ..model.self_attention import SelfAttention
from ..parallel.world import World
from .deepspeed_private import init_tensor_parallel, mark_as_cut, partition_sizes


class ColumnParallelLinear(LinearLayer):
    """A slice of a matrix's outputs; the gradients of what comes in are added up where the block begins (`enter`)."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - an input's name
        """[..., in] -> [..., this rank's out]."""
        return F.linear(x, self.weight, self.bias)


class RowParallelLinear(LinearAllreduce):
    """A slice of a matrix's inputs."""

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - an input's name
        """[..., this rank's in] -> [..., out], whole on every rank."""
        return _reduce_from_tensor_parallel(F.linear(x, self.weight), self.mp_group)


class VocabParallelEmbedding(LinearLayer):
    """This rank's rows of the embedding: tokens of other ranks' rows are zero here, and the sum has them all."""

    def forward(self, tokens: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - an input's name
        """Tokens [batch, time] -> [batch, time, hidden]."""
        row, mine = _own_rows(self, tokens)
        return _reduce_from_tensor_parallel(
            F.embedding(row, self.weight).masked_fill(~mine[..., None], 0.0), self.mp_group
        )


class VocabParallelHead(LinearLayer):
    """This rank's rows of the head: hidden states [batch, time, hidden] -> the mean loss in nats, as `Head`."""

    terms = LossTerms()

    def forward(  # pyright: ignore[reportIncompatibleMethodOverride] - a loss needs targets
        self, hidden: Tensor, targets: Tensor
    ) -> Tensor:
        """The mean cross entropy with `targets` [batch, time]; whole logits are never made."""
        rows = chunk_rows(hidden.device, max(partition_sizes(self)))  # as many on every rank
        slices = Chunks(rows, self._loss_and_logit_grad, self.terms)
        return mean_loss(
            _copy_to_tensor_parallel(hidden, self.mp_group).flatten(0, 1), self.weight, targets.flatten(), slices
        )

    def _loss_and_logit_grad(self, logits: Tensor, truth: Tensor, z_loss: float) -> tuple[Tensor, Tensor]:
        """The summed loss, and the gradient of these logits: of this rank's part of the vocabulary."""
        logits = logits.float()
        top = logits.amax(dim=1, keepdim=True)
        distributed.all_reduce(top, distributed.ReduceOp.MAX, self.mp_group)
        logits -= top
        row, mine = _own_rows(self, truth)
        chosen = logits.gather(1, row).masked_fill(~mine, 0.0)
        sums = torch.stack([logits.exp_().sum(dim=1, keepdim=True), chosen])
        distributed.all_reduce(sums, group=self.mp_group)
        log_sums = sums[0].log()
        softmax = with_z_loss(logits.div_(sums[0]), log_sums + top, z_loss)
        return (log_sums - sums[1]).sum(), softmax.scatter_add_(1, row, -mine.type_as(logits))


class HeadNorm(Norm):
    """The norm of each of this rank's heads; its weight, which all heads share, is whole on every rank."""

    def __init__(self, norm: Norm, group: Any) -> None:
        super().__init__(0, norm.eps)
        self.weight, self.group = norm.weight, group

    def forward(self, x: Tensor) -> Tensor:
        """[..., head size] -> the same."""
        return normalised(x, _copy_to_tensor_parallel(self.weight, self.group), self.eps)


class FullNorm(HeadNorm):
    """The norm of all heads together; its weight is whole on every rank, which uses the part of its heads."""

    def forward(self, x: Tensor) -> Tensor:
        """[..., this rank's heads x head size] -> the same."""
        wide, own = x.float(), x.shape[-1]
        squares = _reduce_from_tensor_parallel(wide.square().sum(-1, keepdim=True), self.group)
        scale = (_copy_to_tensor_parallel(squares, self.group) / len(self.weight) + self.eps).rsqrt()
        first = distributed.get_rank(self.group) * own
        weight = _copy_to_tensor_parallel(self.weight, self.group)[first : first + own]
        return (wide * scale * weight).type_as(x)


class _ReduceFromTensorParallel(torch.autograd.Function):
    """The sum over ranks, made in place; each rank's part has the gradient of the sum."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, group: Any) -> Tensor:
        ctx.mark_dirty(part)
        distributed.all_reduce(part, group=group)
        return part

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        del ctx
        return gradients[0], None


class _CopyToTensorParallel(torch.autograd.Function):
    """The same on every rank; its gradient is the sum of what the ranks make of it."""

    @staticmethod
    def forward(ctx: Any, whole: Tensor, group: Any) -> Tensor:
        ctx.group = group
        return whole.view_as(whole)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total, group=ctx.group)
        return total, None


# Compiled, the sums of gradients would be lost (torch 2.13).
_eager: Callable[[Any], Callable[[Tensor, Any], Tensor]] = vars(torch.compiler)["disable"]
_reduce_from_tensor_parallel, _eager_copy = (
    _eager(_ReduceFromTensorParallel.apply),
    _eager(_CopyToTensorParallel.apply),
)


def _copy_to_tensor_parallel(whole: Tensor, group: Any) -> Tensor:
    """To every rank of the group."""
    return _eager_copy(whole, group)


def _own_rows(layer: LinearLayer, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Each token's row among the layer's own, or 0, and whether it has one."""
    sizes, rank = partition_sizes(layer), layer.tp_index
    row = tokens - sum(sizes[:rank])
    mine = (row >= 0) & (row < sizes[rank])
    return row.where(mine, 0), mine


def build_tensor_parallel(llama: Callable[[], Llama], plan: Plan, config: dict[str, Any], world: World) -> Llama:
    """A model of which this rank holds its slices and, while they are filled, one whole parameter.

    With ZeRO-3 it keeps only its shard of each slice.
    """
    deepspeed.init_distributed()
    set_autotp_mode(training=True)
    init_tensor_parallel(plan.layout.tensor)
    with torch.device("meta"):
        model = llama()
    shapes = {name: parameter.shape for name, parameter in model.named_parameters()}
    _replace_with_parallel_layers(model, AutoTPConfig.from_dict(config["tensor_parallel"]["partition_config"]))
    shards, kind = config if plan.layout.zero == 3 else None, TORCH_DTYPE[plan.training.precision]

    def wholes() -> Iterator[tuple[str, Tensor]]:
        for name, slot in [*model.named_parameters()]:
            whole = torch.empty(shapes[name], dtype=kind, device=world.device)
            yield name, whole
            _fill_parameter(model, name, _own_slice(slot, whole).clone(), shards)

    model.initialize(plan.training.seed, wholes())
    model.tie()
    for name, buffer in model.named_buffers():  # the head, where another stage owns it
        owner, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(owner), leaf, torch.empty_like(buffer, dtype=kind, device=world.device))
    return model


def _replace_with_parallel_layers(model: Llama, specs: AutoTPConfig) -> None:
    """Replace the model's matrices, still without memory, by tensor-parallel layers that DeepSpeed knows of."""
    group = groups.get_tensor_model_parallel_group()
    for name, module in [*model.named_modules()]:
        spec = specs.find_matching_spec(f"{name}.weight")
        if spec is not None:
            borrowed = "weight" in dict(module.named_buffers())
            weight = module.get_buffer("weight") if borrowed else module.get_parameter("weight")
            empty = torch.empty_like(weight)  # its own: a tied one would be cut twice
            bias = getattr(module, "bias", None)
            whole = SimpleNamespace(weight=nn.Parameter(empty), bias=bias)
            model.set_submodule(name, _layer(module, spec.partition_type)(whole, group, name=name))
    for module in model.modules():
        if isinstance(module, (SelfAttention, FeedForward)):
            module.enter = partial(_copy_to_tensor_parallel, group=group)
        if isinstance(module, SelfAttention):
            kind = FullNorm if module.norm_together else HeadNorm
            module.q_norm, module.k_norm = (norm and kind(norm, group) for norm in (module.q_norm, module.k_norm))
    model.tie()
    vars(model)[UNIVERSAL_CHECKPOINT_INFO] = collect_autotp_universal_checkpoint_info(model)
    mark_as_cut(model)


def _layer(module: nn.Module, kind: PartitionType) -> type[LinearLayer | LinearAllreduce]:
    if kind == PartitionType.ROW:
        return RowParallelLinear
    if isinstance(module, nn.Embedding):
        return VocabParallelEmbedding
    return VocabParallelHead if isinstance(module, Head) else ColumnParallelLinear


def _own_slice(slot: Tensor, whole: Tensor) -> Tensor:
    """This rank's part of a whole parameter, cut as DeepSpeed cut its empty slot."""
    cut = getattr(slot, DS_AUTOTP_UC_META, None)
    if cut is None:
        return whole
    return whole.split(cut["partition_sizes"], cut["partition_dim"])[groups.get_tensor_model_parallel_rank()]


def _fill_parameter(model: Llama, name: str, value: Tensor, shards: dict[str, Any] | None) -> None:
    """Put the value into the empty slot of the model, with all that DeepSpeed wrote on the slot."""
    owner, _, leaf = name.rpartition(".")
    module = model.get_submodule(owner)
    filled = nn.Parameter(value)
    vars(filled).update(vars(getattr(module, leaf)))
    setattr(module, leaf, filled)
    if shards is not None:
        replicas = groups.get_data_parallel_group()
        alone = nn.ParameterList([filled])  # the module may have others that are still empty
        zero.Init(alone, replicas, mem_efficient_linear=False, config_dict_or_path=shards)

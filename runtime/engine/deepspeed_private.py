"""Every private name of DeepSpeed that we use: why, seen in which version, and the test that fails without it.

Nothing else in the tree touches one. All were needed with DeepSpeed 0.19.8; a newer version is tried by removing a
function here and running its test.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import distributed


def never_build_operators(device: torch.device) -> None:
    """Import DeepSpeed so that it never starts a compiler: `deepspeed.ops.__compatible_ops__`.

    Asked which of its native operators fit, DeepSpeed runs compilers, and on CPU it then builds a shared-memory
    collective for 50 s, under a lock that a killed build leaves behind and every later run waits on for ever.
    We use none of them: the answer is "none", and gloo and NCCL do the communication.
    Test: tests/runtime/engine/test_deepspeed_private.py.
    """
    os.environ.setdefault("DS_ACCELERATOR", device.type)
    warnings.filterwarnings("ignore", category=FutureWarning, message="`torch.distributed.*deprecated")
    import deepspeed.ops

    setattr(deepspeed.ops, "__compatible_ops__", {})  # noqa: B010 - the module makes it on first use


@contextmanager
def one_zero_optimizer() -> Generator[None]:
    """Let DeepSpeed's one ZeRO optimizer run stage 1 in bf16 as in fp16 and fp32: `_do_optimizer_sanity_check`.

    By itself DeepSpeed takes BF16_Optimizer there, which keeps fp32 gradients of the full model even where no
    micro-batches are added up, and reduces them after the backward pass instead of during it.
    Test: tests/device/test_layouts.py.
    """
    from deepspeed.runtime.engine import ZERO_OPTIMIZATION, DeepSpeedEngine

    with patch.object(DeepSpeedEngine, "_do_optimizer_sanity_check", return_value=ZERO_OPTIMIZATION):
        yield


def leave_out_recovery_script(engine: Any) -> None:
    """No zero_to_fp32.py in checkpoints: `engine._copy_recovery_script`.

    It would be written past our hashes, and a checkpoint holds no programs.
    Test: tests/runtime/train/test_checkpoint.py.
    """
    setattr(engine, "_copy_recovery_script", _nothing)  # noqa: B010 - not ours to name directly


def _nothing(folder: str) -> None:
    del folder


@contextmanager
def loading_universal(engine: Any) -> Generator[None]:
    """Have `load_checkpoint` read a universal checkpoint: `engine._config.load_universal_checkpoint`.

    DeepSpeed reads the switch from there and has no other way to set it; left on, it saves ZeRO-3 weights of the first
    rank only (DeepSpeed #7546). Test: tests/runtime/train/test_layouts.py.
    """
    settings = vars(engine)["_config"]
    settings.load_universal_checkpoint = True
    yield
    settings.load_universal_checkpoint = False


@contextmanager
def converting_with(do_parallel_work: Callable[..., list[Any]]) -> Generator[None]:
    """Put another worker in the place of the converter's processes: `ds_to_universal._do_parallel_work`.

    They would be forks of a process that uses a GPU, on one node, while all other ranks wait.
    Test: tests/runtime/train/test_checkpoint.py.
    """
    from deepspeed.checkpoint import ds_to_universal

    with patch.object(ds_to_universal, "_do_parallel_work", do_parallel_work):
        yield


def clear_gradients(engine: Any) -> None:
    """After a skipped step, clear what DeepSpeed keeps of its gradients: `optimizer.averaged_gradients`.

    With CPU offload ZeRO-1 and 2 clear them only after an update, so that one NaN would spoil every later step.
    Test: tests/runtime/train/test_faults.py.
    """
    optimizer = engine.optimizer
    if getattr(optimizer, "cpu_offload", False):
        for group in optimizer.averaged_gradients:
            optimizer.averaged_gradients[group] = None


def accumulate(engine: Any, turns: int) -> None:
    """Before a step, set its number of micro-batches: `optimizer.gradient_accumulation_steps`, `engine.micro_steps`.

    `set_train_batch_size` leaves the first as it was, by which CPU offload chooses its buffers, and a step ends where
    the count of all micro-batches so far is a multiple of the new number.
    Test: tests/runtime/train/test_layouts.py.
    """
    if engine.gradient_accumulation_steps() == turns:
        return
    engine.set_train_batch_size(turns * engine.train_micro_batch_size_per_gpu() * engine.dp_world_size)
    engine.micro_steps = 0
    engine.optimizer.gradient_accumulation_steps = turns


def order_instead_of_waiting(optimizer: Any) -> None:
    """Let streams wait for reductions, not the host: `independent_gradient_partition_epilogue`.

    DeepSpeed's ZeRO 1 and 2 (0.19.8) synchronise there before they free gradients that were reduced: the order of the
    streams is enough, since memory that is freed is given to the same stream again.
    Test: tests/device/test_layouts.py.
    """
    from deepspeed.accelerator import get_accelerator

    finish = optimizer.independent_gradient_partition_epilogue

    def order() -> None:
        torch.cuda.current_stream().wait_stream(optimizer.reduction_stream)

    def finish_in_order() -> None:
        with patch.object(get_accelerator(), "synchronize", order):
            finish()

    optimizer.independent_gradient_partition_epilogue = finish_in_order


def replica_group() -> Any:
    """The ranks that hold the same part of the model: `groups._get_data_parallel_group`.

    The public getter fails where no mesh was made. Test: tests/runtime/train/test_faults.py.
    """
    from deepspeed.utils import groups

    return vars(groups)["_get_data_parallel_group"]()


def init_tensor_parallel(size: int) -> None:
    """Make the tensor-parallel groups before `initialize`: `groups._init_tp_mesh_device`.

    DeepSpeed's own call comes too late for layers that are cut while they are built.
    Test: tests/runtime/train/test_layouts.py.
    """
    from deepspeed.utils import groups

    vars(groups)["_init_tp_mesh_device"](tensor_model_parallel_size=size)


def register_groups(tensor: Any, data: Any, model: Any) -> Any:
    """Set which ranks share what in DeepSpeed's groups module: its private globals. Returns it, to be used as `mpu`.

    It assumes there are no pipeline stages, and takes the tensor-parallel ranks for all that hold another part of the
    model. Test: tests/runtime/train/test_layouts.py.
    """
    from deepspeed.utils import groups

    def rank() -> int:
        return distributed.get_rank(model)

    def size() -> int:
        return distributed.get_world_size(model)

    getters: dict[str, Callable[[], int]] = {
        "get_model_parallel_rank": rank,
        "get_model_parallel_world_size": size,
    }
    groups.__dict__.update(
        _TENSOR_MODEL_PARALLEL_GROUP=tensor, _DATA_PARALLEL_GROUP=data, _MODEL_PARALLEL_GROUP=model, **getters
    )
    return groups


def partition_sizes(layer: Any) -> list[int]:
    """Rows of a tensor-parallel layer on each rank: `layer._partition_sizes`.

    They need not be equal. Test: tests/runtime/train/test_layouts.py.
    """
    return vars(layer)["_partition_sizes"]


def mark_as_cut(model: Any) -> None:
    """Keep DeepSpeed from cutting a model again that was built in slices: `ds_autotp_parsed`.

    Test: tests/runtime/train/test_layouts.py.
    """
    vars(model)["ds_autotp_parsed"] = True

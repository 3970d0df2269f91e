"""What the trainer's process changes for the log's sake, and for kernels that do nothing; its own code is untouched."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from deepspeed.runtime.engine import DeepSpeedEngine
from torch._dynamo.backends.registry import lookup_backend

from trainwright.runtime.checkpoint import universal


def mark(name: str) -> None:
    """Write a mark into the log."""
    ctypes.CDLL("libcudart.so.13").pretend_mark(name.encode())


def _marked(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(engine: DeepSpeedEngine, *arguments: Any, **options: Any) -> Any:
        mark(name)
        return method(engine, *arguments, **options)

    return call


def _marked_step(step: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the update and, after the last micro batch's, the end of the step; stop after as many as STOP_AFTER says."""
    taken = 0

    def call(engine: DeepSpeedEngine, *arguments: Any, **options: Any) -> Any:
        nonlocal taken
        last = engine.is_gradient_accumulation_boundary()
        mark("update")
        result = step(engine, *arguments, **options)
        if last:
            mark("step")
            taken += 1
            if os.environ.get("STOP_AFTER") == str(taken):
                Path(os.environ["STOP_FILE"]).touch()
        return result

    return call


def _held(name: str) -> int:
    """Bytes of this process: VmRSS, what it holds, or VmHWM, the most that it held."""
    (line,) = (line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if name in line)
    return int(line.split()[1]) * 1024


def _measured(convert: Callable[..., Any]) -> Callable[..., Any]:
    """Mark, as `converted N`, how many bytes more than before this rank held at most while it converted."""

    def call(*arguments: Any) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # VmHWM begins anew
        before = _held("VmRSS")
        convert(*arguments)
        mark(f"converted {_held('VmHWM') - before}")

    return call


def install() -> None:
    """Mark forward, backward, update and step (its end) of DeepSpeed's engine, and every graph that is compiled.

    Objects that torch pickles travel by the CPU, and tensors are compared there, since the kernels for it do nothing;
    torch.compile stops before it generates code, which would need a device; and attention is never cuDNN's, which torch
    takes first on an H100.
    """
    DeepSpeedEngine.forward = _marked("forward", DeepSpeedEngine.forward)
    DeepSpeedEngine.backward = _marked("backward", DeepSpeedEngine.backward)
    DeepSpeedEngine.step = _marked_step(DeepSpeedEngine.step)
    setattr(universal, "_convert", _measured(vars(universal)["_convert"]))  # noqa: B010 - its own
    broadcast, compiled, equal = torch.distributed.broadcast_object_list, torch.compile, torch.equal

    def broadcast_by_cpu(object_list: list[Any], **options: Any) -> None:
        broadcast(object_list, **{**options, "device": torch.device("cpu")})

    without_code = lookup_backend("aot_eager_decomp_partition")

    def backend(graph: Any, inputs: Any, **options: Any) -> Any:
        mark("graph")
        return without_code(graph, inputs, **options)

    def compile_without_code(model: Any = None, **options: Any) -> Any:
        options = {name: value for name, value in options.items() if name not in {"mode", "options"}}
        return compiled(model, **{**options, "backend": backend})

    torch.distributed.broadcast_object_list = broadcast_by_cpu
    torch.compile = compile_without_code
    torch.backends.cuda.enable_cudnn_sdp(enabled=False)
    torch.equal = lambda one, other: equal(one.cpu(), other.cpu())

"""The trainer as it is, on one pretend device, with marks in the log: forward, backward, update, step (its end)."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DS_ACCELERATOR", "cuda")

from deepspeed.runtime.engine import DeepSpeedEngine

from trainwright.runtime.train import main

_library = ctypes.CDLL("libcudart.so.13")


def mark(name: str) -> None:
    """Write a mark into the log."""
    _library.pretend_mark(name.encode())


def _marked(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(engine: DeepSpeedEngine, *arguments: Any, **options: Any) -> Any:
        mark(name)
        return method(engine, *arguments, **options)

    return call


def _marked_step(engine: DeepSpeedEngine, *arguments: Any, **options: Any) -> Any:
    last = engine.is_gradient_accumulation_boundary()
    mark("update")
    result = _step(engine, *arguments, **options)
    if last:
        mark("step")
    return result


_step = DeepSpeedEngine.step
DeepSpeedEngine.forward = _marked("forward", DeepSpeedEngine.forward)
DeepSpeedEngine.backward = _marked("backward", DeepSpeedEngine.backward)
DeepSpeedEngine.step = _marked_step

if __name__ == "__main__":
    main()

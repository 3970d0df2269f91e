"""Numbers that a device has worked out, read by the host."""

from __future__ import annotations

import torch
from torch import Tensor


class Readback:
    """A scalar on its way to the host: reading it waits for what made it, not for what the device does later."""

    def __init__(self, value: Tensor) -> None:
        self._value, self._copied = value, None
        if value.is_cuda:
            self._value = torch.empty((), dtype=value.dtype, pin_memory=True).copy_(value, non_blocking=True)
            self._copied = torch.cuda.current_stream().record_event()

    def read(self) -> float:
        """The number."""
        if self._copied is not None:
            self._copied.synchronize()
        return float(self._value)

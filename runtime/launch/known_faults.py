"""Faults of devices and machines, known by what CUDA, NCCL and gloo say: which exit code each has, and what to do.

A device that fails is replaced and the run resumes elsewhere (of Llama 3's 419 interruptions 58.7% were GPU faults,
arXiv 2407.21783, table 5), so such an end is started again. A lack of memory would come again and is not.
"""

from __future__ import annotations

import errno
import re
from typing import NamedTuple

from ...spec.exit_codes import Exit


class KnownFault(NamedTuple):
    """What an error message says, the exit code, and what to do about it."""

    signs: str  # a regular expression, whatever the case
    code: Exit
    advice: str


REPLACE = "drain the node, see `dmesg | grep Xid` there, and reset or replace the GPU"

# The first that fits counts.
FAULTS = (
    KnownFault(
        r"out of memory|CUBLAS_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation",
        Exit.MEMORY,
        "a device's memory is full: in the spec halve parallel.micro_batch, write activation_checkpointing: selective "
        "or full, zero: 3, or more tensor-parallel ranks or devices; see `trainwright plan`",
    ),
    KnownFault(r"uncorrectable ECC|ECC error", Exit.DEVICE, f"the memory of this GPU fails: {REPLACE}"),
    KnownFault(
        r"fallen off the bus|GPU is lost|no CUDA-capable device|devices? unavailable|device.{0,8} busy or unavailable",
        Exit.DEVICE,
        f"this GPU does not answer any more: {REPLACE}",
    ),
    KnownFault(
        r"nvlink", Exit.DEVICE, f"a link between GPUs fails: see `nvidia-smi nvlink --errorcounters`; {REPLACE}"
    ),
    KnownFault(
        r"CUBLAS_STATUS_(EXECUTION_FAILED|INTERNAL_ERROR|NOT_INITIALIZED|MAPPING_ERROR)|CUDNN_STATUS_\w*FAILED",
        Exit.DEVICE,
        f"a matrix product failed, most often for want of memory or a failing GPU: if it comes again, {REPLACE}",
    ),
    KnownFault(
        r"unspecified launch failure|illegal (memory access|instruction)|misaligned address|hardware stack error"
        r"|launch timed out|CUDA error|device-side assert|CUDA driver error|cudaError",
        Exit.DEVICE,
        f"a kernel failed on this GPU: if it comes again on the same one, {REPLACE}",
    ),
    KnownFault(
        r"connection closed by peer|connection reset|broken pipe|nccl|timed out waiting|gloo",
        Exit.PEER_LOST,
        "another rank, or the network to it, is gone: the first rank that failed says why",
    ),
)
TOO_MANY_FILES = (
    "raise the limit of open files, `ulimit -n`, for the job; `trainwright preflight` says how many it needs"
)


def known_fault(error: BaseException) -> KnownFault | None:
    """Which of them an error is, if any."""
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        return KnownFault("", Exit.FAULT, TOO_MANY_FILES)
    if not isinstance(error, RuntimeError):
        return None
    return next((fault for fault in FAULTS if re.search(fault.signs, str(error), re.IGNORECASE)), None)

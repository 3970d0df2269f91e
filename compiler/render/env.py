"""env.sh: what every process of the run has in its environment, each line with its reason."""

from __future__ import annotations

from .inputs import Unit
from .network import Variable, network
from .shell import script

# glibc's allocator: no block gets a mapping of its own, and the end of the heap is not given back (glibc manual,
# Memory Allocation Tunables).
KEEP_MEMORY = "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=1099511627776:glibc.malloc.top_pad=67108864"


def environment(unit: Unit) -> str:
    """The text of env.sh."""
    return script("env.sh.j2", name=unit.plan.name, variables=[*_processes(unit), *network(unit.spec)])


def _processes(unit: Unit) -> list[Variable]:
    if unit.spec.cluster.on_cpu:
        why = "The memory of a step is kept for the next: giving it back and fetching it anew takes 4% of a step"
        return [
            Variable("DS_ACCELERATOR", "cpu", "DeepSpeed trains on the CPU even where a GPU is present"),
            Variable("GLIBC_TUNABLES", KEEP_MEMORY, why),
        ]
    why = "CUDA counts the GPUs as NVML does: the energy meter and the power cap then read the boards that train"
    return [Variable("CUDA_DEVICE_ORDER", "PCI_BUS_ID", why)]

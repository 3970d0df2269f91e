"""env.sh: what every process of the run has in its environment, each line with its reason."""

from __future__ import annotations

from .network import Variable, network
from .shell import script
from .unit import Unit


def environment(unit: Unit) -> str:
    """The text of env.sh."""
    return script("env.sh.j2", name=unit.plan.name, variables=[*_processes(unit), *network(unit.spec)])


def _processes(unit: Unit) -> list[Variable]:
    if unit.spec.cluster.on_cpu:
        return [Variable("DS_ACCELERATOR", "cpu", "DeepSpeed trains on the CPU even where a GPU is present")]
    if unit.plan.layout.tensor > 1:
        why = "Kernels start in the order issued, so that tensor parallelism's all-reduce overlaps compute"
        return [Variable("CUDA_DEVICE_MAX_CONNECTIONS", 1, why)]
    return []

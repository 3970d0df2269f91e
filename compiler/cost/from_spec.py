"""A spec and a layout as the `StepCase` that the cost model answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ...spec.hardware import gpu
from ...spec.layout import Layout
from ...spec.problem import InputError, MissedRuleError
from ...spec.sections import Cluster, Interconnect, Spec
from .case import Hardware, StepCase, Workload
from .power import operating_point
from .software_profile import SoftwareProfile
from .stack import profile


def rate(interconnect: Interconnect, per_node: int) -> float:
    """Line rate between nodes that one device can use, bytes/s; 0 when there is one node."""
    if interconnect.bandwidth_per_gpu:
        return interconnect.bandwidth_per_gpu
    return (interconnect.bandwidth_per_node or 0.0) / per_node


def hardware(cluster: Cluster) -> Hardware:
    """The cluster as the cost model sees it."""
    net = rate(cluster.interconnect, cluster.gpus_per_node)
    return Hardware(gpu(cluster.gpu), cluster.gpus_per_node, net, cluster.interconnect.kind, cluster.power_cap)


def software(spec: Spec, stack: str | None = None) -> SoftwareProfile:
    """The profile of `stack`, or of this project's runtime as the spec configures it.

    Raises InputError when there is no such stack, or when it was never compared on the spec's devices.
    """
    family = gpu(spec.cluster.gpu).family
    if stack is None:
        ours = "cpu" if spec.cluster.on_cpu else "deepspeed-compiled" if spec.compiles else "deepspeed"
        found = profile(ours, family)
    else:
        found = profile(stack, family)
        if spec.cluster.on_cpu or stack == "cpu":
            remedy = "leave --stack out, or name a cluster of GPUs"
            raise InputError.one("TW859", "no other stack was compared on processors", remedy, "--stack")
    return replace(found, matmul=found.matmul * (spec.cluster.efficiency or 1.0))


def cost_case(spec: Spec, layout: Layout, stack: str | None = None) -> StepCase:
    """The case of training `spec` with `layout`, by `stack` (None: this project's runtime).

    Raises InputError when there is no such stack.
    """
    return cost_case_factory(spec, stack)(layout)


def cost_case_factory(spec: Spec, stack: str | None = None) -> Callable[[Layout], StepCase]:
    """What makes cases of `spec`: all but the layout is looked up once. Raises InputError as `cost_case` does."""
    where = hardware(spec.cluster)
    precision = spec.training.precision
    if where.gpu.peak(precision) is None:
        raise MissedRuleError("TW311", f"{where.gpu.name} has no {precision} arithmetic")
    if spec.cluster.nodes > 1 and not where.net:
        raise MissedRuleError("TW310", f"{spec.cluster.nodes} nodes, and no bandwidth between them")
    if where.power_cap and where.gpu.power and where.power_cap < where.gpu.power.lowest:
        raise MissedRuleError("TW309", f"{where.gpu.name} cannot be capped to {where.power_cap:g} W")
    shape, sequence, runs = spec.model.shape, spec.training.sequence_length, software(spec, stack)
    exact = spec.training.deterministic and not spec.cluster.on_cpu
    where = replace(where, net=where.net * runs.rails, partial=runs.partial)
    limited = operating_point(where.gpu, where.power_cap)
    speed = limited.speed if limited else 1.0
    return StepCase(Workload(shape, sequence, 1, precision, exact), Layout(), where, runs, speed).about

"""Network settings of each interconnect, every variable with the reason it is set.

What NCCL chooses well by itself is left alone: a stale setting hurts longer than it helped. Sources: NVIDIA's NCCL
environment page, and the checked-in settings of the sites named beside a value.
"""

from __future__ import annotations

from typing import NamedTuple

from ...spec.sections import Interconnect, Spec


class Variable(NamedTuple):
    """An exported variable and why it is set."""

    name: str
    value: str | int
    why: str


def network(spec: Spec) -> list[Variable]:
    """Variables for the fabric of `spec`'s cluster."""
    fabric = spec.cluster.interconnect
    if spec.cluster.on_cpu:
        return _bootstrap(fabric, cpu=True)
    return [*_common(), *_bootstrap(fabric, cpu=False), *_FABRICS[fabric.kind](fabric)]


def _common() -> list[Variable]:
    return [
        Variable("NCCL_DEBUG", "WARN", "NCCL's own complaints reach the log, without its chatter"),
        Variable("PYTORCH_ALLOC_CONF", "expandable_segments:True", "Less memory lost to fragmentation"),
    ]


def _bootstrap(fabric: Interconnect, *, cpu: bool) -> list[Variable]:
    name = fabric.socket_interface
    if name is None:
        return []
    gloo = Variable("GLOO_SOCKET_IFNAME", name, "The interface for process groups on CPU")
    nccl = Variable("NCCL_SOCKET_IFNAME", name, "The interface where NCCL's processes meet; never the RDMA port")
    return [gloo] if cpu else [nccl, gloo]


def _hcas(fabric: Interconnect) -> list[Variable]:
    if not fabric.hcas:
        return []
    named = ",".join(fabric.hcas)
    if named.startswith(("=", "^")):
        return [Variable("NCCL_IB_HCA", named, "These RDMA devices (`=`), or all but these (`^`)")]
    why = "Exactly these RDMA devices (`=`): a prefix would also match the management port's"
    return [Variable("NCCL_IB_HCA", f"={named}", why)]


def _rdma(fabric: Interconnect) -> list[Variable]:
    settings = [
        ("NCCL_IB_SL", fabric.service_level, "The fabric's service level"),
        ("NCCL_IB_TIMEOUT", fabric.timeout, "2^n x 4 us before a retry: large fabrics need more patience"),
        ("NCCL_IB_QPS_PER_CONNECTION", fabric.queue_pairs, "Several queue pairs spread one flow over equal-cost paths"),
    ]
    return _hcas(fabric) + [Variable(name, value, why) for name, value, why in settings if value is not None]


def _roce(fabric: Interconnect) -> list[Variable]:
    settings = [
        ("NCCL_IB_TC", fabric.traffic_class, "The traffic class that this fabric's switches treat as lossless"),
        ("NCCL_IB_GID_INDEX", fabric.gid_index, "The RoCE v2 address; NCCL before 2.21 does not find it by itself"),
    ]
    own = [Variable(name, value, why) for name, value, why in settings if value is not None]
    return [*_rdma(fabric), *own, Variable("UCX_TLS", "tcp", "MPI's UCX keeps off the RDMA ports")]


def _efa(_: Interconnect) -> list[Variable]:
    return [
        Variable("FI_PROVIDER", "efa", "Libfabric uses the Elastic Fabric Adapter"),
        Variable("FI_EFA_USE_HUGE_PAGE", 0, "Huge pages make fork fail in data loading"),
    ]


def _ethernet(fabric: Interconnect) -> list[Variable]:
    anything = [Variable("NCCL_SOCKET_IFNAME", "^lo,docker0", "Any interface but loopback and Docker's bridge")]
    return [
        Variable("NCCL_IB_DISABLE", 1, "No RDMA here: do not look for it"),
        *(anything if fabric.socket_interface is None else []),
        Variable("NCCL_SOCKET_NTHREADS", 4, "One TCP stream does not fill a fast link: 4 threads x 4 sockets"),
        Variable("NCCL_NSOCKS_PERTHREAD", 4, "See NCCL_SOCKET_NTHREADS; the product may be at most 64"),
    ]


def _one_node(_: Interconnect) -> list[Variable]:
    return []


_FABRICS = {"infiniband": _rdma, "roce": _roce, "efa": _efa, "ethernet": _ethernet, "none": _one_node}

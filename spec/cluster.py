"""Where a run takes place: the machine and its network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from .gpu_description import GpuDescription, NameOrDescription
from .money import Price
from .quantity import BytesPerSecond, Watts
from .section import Count, Section
from .text_types import Key, Label, RdmaDevice


class Interconnect(Section):
    """The network between nodes. Bandwidth is per GPU or per node: exactly one of the two is given."""

    kind: Literal["infiniband", "roce", "efa", "ethernet", "none"] = Field(description="The fabric; none: one node.")
    bandwidth_per_gpu: BytesPerSecond | None = Field(
        default=None, gt=0, description="Line rate of one GPU, one direction."
    )
    bandwidth_per_node: BytesPerSecond | None = Field(
        default=None, gt=0, description="Line rate of one node, one direction."
    )
    hcas: tuple[RdmaDevice, ...] = Field(default=(), description="RDMA devices, e.g. mlx5_0; empty: NCCL chooses.")
    socket_interface: RdmaDevice | None = Field(
        default=None, description="Bootstrap (and TCP) interface, not the RDMA port."
    )
    traffic_class: int | None = Field(default=None, ge=0, le=255, description="RoCE traffic class byte of your fabric.")
    service_level: int | None = Field(default=None, ge=0, le=15, description="InfiniBand service level.")
    gid_index: int | None = Field(default=None, ge=0, le=255, description="RoCE GID index, for NCCL before 2.21.")
    timeout: int | None = Field(default=None, ge=1, le=31, description="NCCL_IB_TIMEOUT exponent; 22 on large fabrics.")
    queue_pairs: int | None = Field(default=None, ge=1, le=128, description="Queue pairs a connection; 4 on ECMP.")


class Cluster(Section):
    """The machine: which devices, how many, how connected, under which power cap."""

    name: Label = Field(default="custom", description="What reports call the cluster.")
    gpu: Annotated[Key | GpuDescription, NameOrDescription()] = Field(
        description="A device of the facts table, e.g. A100-SXM4-80GB, or CPU; or a mapping that describes another."
    )
    gpus: Count = Field(description="Devices in all (processes, on CPU).")
    gpus_per_node: PositiveInt = Field(le=1024, description="Devices in one node.")
    power_cap: Watts | None = Field(default=None, gt=0, description="Power limit per GPU; none: the device's default.")
    power_cap_mode: Literal["sudo", "site-flag", "prolog-file", "daemonset", "assume-set"] = Field(
        default="assume-set", description="How the cap is applied on a node; it is read back in every mode."
    )
    interconnect: Interconnect = Interconnect.model_construct(kind="none")
    price: Price | None = Field(default=None, ge=0, description="Money per device and hour, in any currency.")
    efficiency: PositiveFloat | None = Field(
        default=None, le=2, description="Speed here against the estimate, as `trainwright calibrate` fits it."
    )
    device_power: Watts | None = Field(
        default=None, gt=0, description="Average draw of one CPU process, or of a described GPU without limits."
    )

    @property
    def nodes(self) -> int:
        """Nodes in all."""
        return -(-self.gpus // self.gpus_per_node)

    @property
    def on_cpu(self) -> bool:
        """Whether training runs on CPUs, over gloo."""
        return self.gpu == "CPU"

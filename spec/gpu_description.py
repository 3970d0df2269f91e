"""A device that the facts table does not have, described in the spec: `gpu:` as a mapping."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import Field, GetCoreSchemaHandler, PositiveInt, TypeAdapter, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from .quantity import Bytes, BytesPerSecond, Dimension, Fraction, Watts
from .section import Section
from .text_types import Key

LABEL = "user-described"  # what follows the name of such a device wherever it is printed

Family = Literal["volta", "turing", "ampere", "ampere-gddr", "ada", "hopper", "blackwell", "other"]
_SI = {"G": 1e9, "T": 1e12, "P": 1e15}
FLOPS = Dimension(
    "an arithmetic rate",
    {scale + unit: factor for unit in ("FLOPS", "FLOP/s") for scale, factor in _SI.items()},
    ("312 TFLOPS", "0.989 PFLOPS"),
    ("TFLOPS", "GFLOPS"),
)
FlopsPerSecond = Annotated[float, FLOPS]


class Peak(Section):
    """Peak arithmetic of tensor cores by precision, dense (without sparsity), as the datasheet has it."""

    bf16: FlopsPerSecond | None = Field(default=None, ge=1e9, le=1e18, description="In bf16; none: it has none.")
    fp16: FlopsPerSecond | None = Field(default=None, ge=1e9, le=1e18, description="In fp16; none: it has none.")
    fp8: FlopsPerSecond | None = Field(default=None, ge=1e9, le=1e18, description="In 8 bits; none: it has none.")
    fp32: FlopsPerSecond | None = Field(default=None, ge=1e9, le=1e18, description="In fp32; none: it has none.")


class PowerLimits(Section):
    """What the device draws and may be capped to, as `nvidia-smi -q -d POWER` shows it."""

    lowest: Watts = Field(gt=0, le=1e5, description="The lowest power cap.")
    default: Watts = Field(gt=0, le=1e5, description="The limit without a cap.")
    highest: Watts = Field(gt=0, le=1e5, description="The highest power cap.")
    idle: Watts = Field(gt=0, le=1e5, description="Draw without work.")


class GpuDescription(Section):
    """A device outside the facts table. Its figures are yours, and every output says so beside its name."""

    name: Key = Field(description="What to call it, e.g. RTX3090-24GB.")
    memory: Bytes = Field(ge=2**30, le=2**50, description="Memory of one device, as the driver reports it.")
    peak: Peak
    bandwidth: BytesPerSecond = Field(ge=1e6, le=1e15, description="Rate of its own memory.")
    link: BytesPerSecond | None = Field(
        default=None,
        ge=1e6,
        le=1e15,
        description="NVLink to all peers of the node together, one direction; none: PCIe.",
    )
    pcie: BytesPerSecond | None = Field(
        default=None,
        ge=1e6,
        le=1e15,
        description="Link to the host, one direction; none: PCIe 4.0 x16, 32 GB/s, is assumed.",
    )
    power: PowerLimits | None = Field(
        default=None, description="Power limits; none: its draw is unknown, and it cannot be capped."
    )
    multiprocessors: PositiveInt | None = Field(
        default=None, le=10_000, description="Streaming multiprocessors; none: 108 are assumed."
    )
    best_matmul: Fraction | None = Field(
        default=None, gt=0, le=1, description="Best measured matmul as a share of the peak; none: 75% is assumed."
    )
    family: Family = Field(
        default="other", description="Its relatives in the facts table, whose measured efficiencies it then shares."
    )


class NameOrDescription:
    """Pydantic metadata of `Key | GpuDescription`: a mapping is the description, anything else the name.

    A plain union would report the errors of both, under paths that no user wrote.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        name = TypeAdapter[str](get_args(source)[0])

        def read(value: Any, info: ValidationInfo) -> str | GpuDescription:
            if isinstance(value, dict | GpuDescription):
                return GpuDescription.model_validate(value, strict=True, context=info.context)
            return name.validate_python(value, strict=True)

        return core_schema.with_info_before_validator_function(read, handler(source))

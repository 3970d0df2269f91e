"""The two CSV formats of vTrain's measurements (VIA Research Group, KAIST; MICRO 2024) as cases with seconds per step.

Header lines start with `#` or with a word; the single-node file lacks the column of parameters. The files say nothing
of software, precision or network: Megatron-DeepSpeed in fp16 with full recomputation and 8 x A100 a node at 800 Gb/s,
as the simulator's own configuration has it. Without tensor parallelism its 50,257 words are not padded to whole tiles,
which the measured head times show (docs/estimator.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...spec.facts import figures
from ...spec.hardware import gpu
from ...spec.layout import Layout
from ...spec.shape import ModelShape
from ..cost.case import Hardware, StepCase, Workload
from ..cost.stack import profile
from .run_case import GBPS, padded

COLUMNS = (
    "gpus",
    "batch",
    "micro",
    "hidden",
    "heads",
    "layers",
    "sequence",
    "tensor",
    "data",
    "pipeline",
    "milliseconds",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One line: what was run, and seconds of an iteration."""

    id: str
    case: StepCase
    seconds: float


def numbers(line: str) -> list[float] | None:
    """The figures of a line, without the parameter column; None for a header. Raises ValueError when it is neither."""
    cells = [cell.strip() for cell in line.split(",")]
    if line.startswith("#") or cells[0].lower().startswith(("parameters", "number of")):
        return None
    values = [float(cell) for cell in cells]
    if len(values) == len(COLUMNS) + 1:
        values = values[1:]
    if len(values) != len(COLUMNS):
        raise ValueError(f"{len(values)} columns instead of {len(COLUMNS)} or {len(COLUMNS) + 1}")
    if not all(0 < value < float("inf") for value in values):
        raise ValueError("every figure must be positive")
    return values


def _case(row: dict[str, int]) -> StepCase:
    known = figures("software")["vtrain"]
    tensor, hidden = row["tensor"], row["hidden"]
    shape = ModelShape(
        row["layers"],
        hidden,
        4 * hidden,
        row["heads"],
        row["heads"],
        known["vocabulary"] if tensor == 1 else padded(known["vocabulary"], tensor),
        gated=False,
        tied_embeddings=True,
        biases=True,
        learned_positions=row["sequence"],
    )
    layout = Layout(
        data=row["data"],
        tensor=tensor,
        pipeline=row["pipeline"],
        zero=0,
        micro_batch=row["micro"],
        accumulation=max(1, row["batch"] // (row["data"] * row["micro"])),
        activation_checkpointing="full",
    )
    stack = profile("megatron-2021")
    net = known["node_gbps"] / known["node"] * GBPS
    hardware = Hardware(gpu("A100-SXM4-80GB"), known["node"], net, "infiniband", partial=stack.partial)
    return StepCase(Workload(shape, row["sequence"], row["batch"], "fp16"), layout, hardware, stack)


def measured(lines: list[tuple[int, list[float]]]) -> Iterator[Measured]:
    """The cases of numbered lines of figures."""
    for number, values in lines:
        row = {name: int(value) for name, value in zip(COLUMNS[:-1], values, strict=False)}
        name = "line{}-{gpus}gpu-h{hidden}-L{layers}-tp{tensor}dp{data}pp{pipeline}-gbs{batch}-mbs{micro}"
        yield Measured(name.format(number, **row), _case(row), values[-1] / 1000)

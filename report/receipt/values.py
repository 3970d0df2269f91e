"""A receipt as typed values; `trainwright schema receipt` prints its JSON Schema. None is unknown, never zero."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ...spec.foreign_files import open_foreign

ARITHMETIC = (
    "Numbers are IEEE 754 binary64, written with the fewest digits that read back as the same number. An expression is "
    "computed left to right, * and / before + and -; sum(...) is exact and rounded once. It uses inputs, and numbers "
    "that stand before it. What rests on null is null, as is a division by zero. `printed` rounds value / scale to "
    "`digits` decimals, half to even, or cuts it there."
)
ACCOUNTED = "accounted"  # status of a record that is of a file of another tool
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$", max_length=200)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(max_length=4000)]


class Strict(BaseModel):
    """Immutable, no unknown keys, no other types, only finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Input(Strict):
    """A value that the receipt takes over: a reading, a factor, a prediction, a published figure."""

    name: Name
    value: float | None
    unit: Text
    source: Text
    date: Text | None = None


class Printed(Strict):
    """How the table prints a number."""

    text: Text
    scale: float = Field(ge=1e-12, le=1e12)
    digits: int = Field(ge=0, le=17)
    rounding: Literal["half to even", "cut"]


class Number(Strict):
    """A number of the account, and the expression that gives it."""

    name: Name
    expression: str = Field(max_length=2**18)
    unit: Text
    value: float | None
    printed: Printed | None = None


class File(Strict):
    """A file that the receipt rests on, by the SHA-256 of its bytes."""

    path: Text
    sha256: Digest
    bytes: int = Field(ge=0)


class MeterGap(Strict):
    """Seconds of a device that no meter covers."""

    attempt: int
    device: Text
    seconds: float
    reason: Text


class Record(Strict):
    """What one run, or one row of a paper, was. Its inputs and numbers begin with `id`."""

    id: Name
    label: Text
    model: Text
    devices: Text
    status: Text
    basis: Text
    files: tuple[File, ...] = ()
    versions: dict[str, str] = {}
    meters: tuple[Text, ...] = ()
    gaps: tuple[MeterGap, ...] = ()
    missing: tuple[Text, ...] = ()


class Receipt(Strict):
    """Everything that an emissions table rests on."""

    kind: Literal["trainwright receipt"] = "trainwright receipt"
    version: Literal[1] = 1
    generator: Text
    arithmetic: Text = ARITHMETIC
    runs: tuple[Record, ...]
    inputs: tuple[Input, ...]
    numbers: tuple[Number, ...]
    tables: tuple[File, ...] = ()


def receipt_text(receipt: Receipt) -> str:
    """The receipt as it is written to a file: the same bytes for the same run."""
    return receipt.model_dump_json(indent=1) + "\n"


def is_receipt(path: Path) -> bool:
    """Whether `receipt_text` wrote a file."""
    beginning = b'{\n "kind": "trainwright receipt"'
    try:
        with open_foreign(path) as file:
            return file.read(len(beginning)) == beginning
    except OSError:
        return False


def receipt_schema() -> str:
    """The JSON Schema of a receipt, as it is checked in."""
    return json.dumps(Receipt.model_json_schema(), indent=1, sort_keys=True) + "\n"

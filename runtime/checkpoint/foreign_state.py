"""What a checkpoint's file of the engine may hold: plain state, under the names of this model and no other.

A hash proves that a file is the one that was saved, not who saved it. DeepSpeed unpickles whatever it finds, and turns
names in it into paths, so a file is looked at here first, without its tensors' content: `torch.load` with
`weights_only`, the classes that DeepSpeed needs, names that the model has, sizes that the file can hold.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

LARGEST_PICKLE = 256 * 2**20  # bytes of structure; tensors are stored beside it
DEEPEST = 20  # levels of nesting; DeepSpeed's affine maps have 9
CONVERTER = "universal_checkpoint_info"  # what DeepSpeed's converter matches names with and allocates by
_SETTING = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the names and numbers in a file may be."""

    names: frozenset[str]
    patterns: frozenset[str]
    numbers: int  # the model's parameters: no dimension or offset is larger
    bytes: int  # of the file: no tensor is larger

    def names_a_setting(self, text: str) -> bool:
        """Whether `text` is a word of DeepSpeed's or a name of the model's, never a path."""
        return text in self.names or text in self.patterns or _SETTING.fullmatch(text) is not None


def refusal(path: Path, shapes: Mapping[str, torch.Size]) -> str | None:
    """Why a file must not be loaded into a model of these weights, or None. Its hash was checked before."""
    names = frozenset(shapes)
    patterns = frozenset(f"^{re.escape(name)}$" for name in names)
    bounds = Bounds(names, patterns, sum(shape.numel() for shape in shapes.values()), path.stat().st_size)
    try:
        _check_archive(path)
        return next(_findings(read_state(path, "meta"), bounds, 0, ""), None)
    except UnpicklingError:
        return "is not a plain state: loaded in full it would run code of its own"
    except Exception as error:  # noqa: BLE001 - whatever a hostile pickle raises, the answer is the same
        return f"is not a plain state: {(str(error).splitlines() or [type(error).__name__])[0][:200]}"


def _check_archive(path: Path) -> None:
    """Refuse an archive whose parts are larger than the file, or whose structure none of our saves has."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:
                raise ValueError("a compressed archive")
            if entry.filename.endswith(".pkl") and entry.file_size > LARGEST_PICKLE:
                raise ValueError(f"{entry.file_size} bytes of structure")


def _findings(value: Any, bounds: Bounds, depth: int, under: str) -> Iterator[str]:
    """What must not be there, in a value and all that it holds. `under` is the part of the file it belongs to."""
    if depth > DEEPEST:
        yield "is nested too deep"
    elif isinstance(value, torch.Tensor):
        if value.numel() * value.element_size() > bounds.bytes:
            yield f"holds a tensor of {value.numel()} elements, more than it has bytes"
    elif isinstance(value, dict):
        yield from _keys(value, bounds)
        for key, inner in value.items():
            yield from _findings(inner, bounds, depth + 1, under or (CONVERTER if key == CONVERTER else ""))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _findings(inner, bounds, depth + 1, under)
    elif under == CONVERTER:
        yield from _converter_input(value, bounds)
    elif hasattr(value, "__dict__") and not isinstance(value, Enum):
        yield from _findings(dict(vars(value)), bounds, depth + 1, under)


def _keys(value: dict[Any, Any], bounds: Bounds) -> Iterator[str]:
    for key in value:
        if not isinstance(key, int) and not (isinstance(key, str) and bounds.names_a_setting(key)):
            yield f"holds the name {str(key)[:80]!r}, which the model does not have"


def _converter_input(value: Any, bounds: Bounds) -> Iterator[str]:
    if isinstance(value, str) and not bounds.names_a_setting(value):
        yield f"holds the pattern {value[:80]!r}, which is not a name of the model"
    elif isinstance(value, int) and not -1 <= value <= bounds.numbers:
        yield f"holds the size {value}, more than the model has parameters"


def read_state(path: Path, device: str = "cpu") -> Any:
    """The content of a file of the engine, on `device` ("meta": structure only). Raises UnpicklingError."""
    os.environ.setdefault("DS_ACCELERATOR", "cpu")  # or DeepSpeed would look for a GPU, and warn
    from ..engine.checkpoint_engine import DurableCheckpointEngine

    return DurableCheckpointEngine().load(str(path), map_location=device)


def rewrite(source: Path, target: Path) -> None:
    """Save the state in `source`, which was not refused, to the new file `target`.

    What is read from there is what was looked at here. Raises OSError on a full disk.
    """
    state = read_state(source, "cpu")
    with target.open("xb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())

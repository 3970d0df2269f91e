"""Files of token ids that exist already: flat .bin, .npy, and Megatron's .bin beside an .idx. Their headers, no ids.

Formats: NumPy's NEP 1; `_IndexWriter` of megatron.core.datasets.indexed_dataset.
"""

from __future__ import annotations

import ast
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from .corpus import TokenIds
from .glob import shown
from .problem import InputError
from .remote_files import CorpusFile

TOKEN_ENDINGS = (".bin", ".npy")
INDEX_ENDING = ".idx"
ITEM_BYTES = {"<u2": 2, "<u4": 4, "<i4": 4, "<i8": 8}  # little-endian, as NumPy writes types
_FLAT = {"uint16": "<u2", "uint32": "<u4"}
_MEGATRON = {4: "<i4", 5: "<i8", 8: "<u2"}  # its codes of types that can hold ids
_MEGATRON_HEAD = struct.Struct("<9sQBQQ")  # magic, version, code of the type, sequences, entries of document borders
_MEGATRON_MAGIC = b"MMIDIDX\0\0"
_NPY_MAGIC = b"\x93NUMPY"
_LONGEST_NPY_HEADER = 10_000  # NumPy's own limit


@dataclass(frozen=True, slots=True)
class MegatronIndex:
    """Where the tables of an .idx lie: int32 lengths, int64 byte offsets of sequences, int64 first sequences."""

    path: CorpusFile
    sequences: int
    documents: int

    @property
    def lengths(self) -> int:
        """Byte offset of the lengths [sequences] in tokens."""
        return _MEGATRON_HEAD.size

    @property
    def offsets(self) -> int:
        """Byte offset of the byte offsets [sequences] of sequences in the .bin."""
        return self.lengths + 4 * self.sequences

    @property
    def borders(self) -> int:
        """Byte offset of the numbers [documents] of the sequences that begin a document."""
        return self.offsets + 8 * self.sequences

    @property
    def end(self) -> int:
        """Size of the file without the modes that multimodal data may have, a byte a sequence."""
        return self.borders + 8 * self.documents


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file of `count` ids of the NumPy type `dtype`, from byte `start` on."""

    path: CorpusFile
    dtype: str
    start: int
    count: int
    index: MegatronIndex | None = None


def index_of(path: CorpusFile) -> CorpusFile | None:
    """The .idx beside a .bin, if there is one."""
    beside = path.with_suffix(INDEX_ENDING)
    return beside if path.suffix == ".bin" and beside.is_file() else None


def without_indices(files: Sequence[CorpusFile]) -> list[CorpusFile]:
    """The files without each .idx whose .bin is there."""
    bins = {path for path in files if path.suffix == ".bin"}
    return [path for path in files if path.suffix != INDEX_ENDING or path.with_suffix(".bin") not in bins]


def open_token_file(path: CorpusFile, ids: TokenIds) -> TokenFile:
    """The layout of a token file. Raises InputError when it is damaged, cut off, or not of the type that is written."""
    try:
        size, beside = path.stat().st_size, index_of(path)
        if beside is not None:
            file = _megatron(path, size, beside)
        elif path.suffix == ".npy":
            file = _npy(path, size)
        else:
            file = _flat(path, size, ids)
    except OSError as error:
        raise _refused(path, error.strerror or str(error)) from error
    if ids.dtype is not None and file.dtype != _FLAT[ids.dtype]:
        raise _refused(path, f"it holds {file.dtype} ids, and the spec says {ids.dtype}", "Leave token_ids.dtype out.")
    return file


def _flat(path: CorpusFile, size: int, ids: TokenIds) -> TokenFile:
    if ids.dtype is None:
        raise _refused(path, "a flat .bin does not say the type of its ids", "Write token_ids.dtype: uint16 or uint32.")
    dtype = _FLAT[ids.dtype]
    if size % ITEM_BYTES[dtype]:
        raise _refused(path, f"{size} bytes are no whole number of {ids.dtype} ids")
    return TokenFile(path, dtype, 0, size // ITEM_BYTES[dtype])


def _npy(path: CorpusFile, size: int) -> TokenFile:
    with path.open("rb") as file:
        described, start = _npy_header(file)
    match described.get("descr"), described.get("shape"):
        case str(dtype), (int(count),) if dtype in ITEM_BYTES:
            expected = start + count * ITEM_BYTES[dtype]
        case dtype, shape:
            raise _refused(path, f"it is an array {shape} of {dtype!r}, not one dimension of {', '.join(ITEM_BYTES)}")
    if size != expected:
        raise _refused(path, f"it has {size} bytes instead of {expected}: it was not copied or written completely")
    return TokenFile(path, dtype, start, count)


def _npy_header(file: BinaryIO) -> tuple[dict[str, object], int]:
    """The header of a .npy and its length; an empty one when it is none."""
    head = file.read(12)
    wide = head[6:7] > b"\x01"
    if not head.startswith(_NPY_MAGIC) or len(head) < 12:
        return {}, 0
    length = int.from_bytes(head[8 : 12 if wide else 10], "little")
    start = (12 if wide else 10) + length
    file.seek(start - length)
    try:
        found = ast.literal_eval(file.read(length).decode()) if length <= _LONGEST_NPY_HEADER else {}
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return {}, 0
    return (found, start) if isinstance(found, dict) else ({}, 0)


def _megatron(path: CorpusFile, size: int, beside: CorpusFile) -> TokenFile:
    with beside.open("rb") as file:
        head = file.read(_MEGATRON_HEAD.size)
        if len(head) < _MEGATRON_HEAD.size or not head.startswith(_MEGATRON_MAGIC):
            raise _refused(beside, "it is not an index of Megatron's", f"Move it away if {path.name} is a flat file.")
        _, version, code, sequences, documents = _MEGATRON_HEAD.unpack(head)
        if version != 1 or code not in _MEGATRON:
            raise _refused(beside, f"version {version} with type {code} is not 1 with {', '.join(map(str, _MEGATRON))}")
        index = MegatronIndex(beside, sequences, documents)
        if beside.stat().st_size not in (index.end, index.end + sequences):
            raise _refused(beside, "it ends too early or too late: it was not copied or written completely")
        expected = _megatron_bytes(file, index, ITEM_BYTES[_MEGATRON[code]])
    if size != expected:
        raise _refused(path, f"it has {size} bytes, and {beside.name} describes {expected}")
    return TokenFile(path, _MEGATRON[code], 0, size // ITEM_BYTES[_MEGATRON[code]], index)


def _megatron_bytes(file: BinaryIO, index: MegatronIndex, item: int) -> int:
    """Where the last sequence ends in the .bin."""
    if not index.sequences:
        return 0
    file.seek(index.offsets - 4)
    (length,) = struct.unpack("<i", file.read(4))
    file.seek(index.borders - 8)
    (offset,) = struct.unpack("<q", file.read(8))
    return offset + length * item


def _refused(path: CorpusFile, reason: str, remedy: str = "Write or copy it again, or name other files.") -> InputError:
    return InputError.one("TW833", f"{shown(path)} cannot be read: {reason}", remedy, "data.train")

"""A file of somebody else's in, a `Receipt` out, or every reason why it is none."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from ...spec.foreign_files import parse_strict_json, read_linked
from ...spec.foreign_text import on_one_line
from ...spec.problem import InputError, Problem, shortened
from .files import unreadable
from .values import Receipt

LARGEST = 8 * 2**20  # bytes: a receipt of a thousand runs
SHOWN = 20  # problems; a file of another kind has one at every value
REMEDY = "Give a file that `trainwright receipt` wrote; `trainwright schema receipt` prints its form."


def receipt_bytes(path: Path) -> bytes:
    """The bytes of a receipt, read once: what is verified is what was signed. Raises InputError (TW867, TW866)."""
    try:
        return read_linked(path, LARGEST)
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        raise InputError.one("TW866", f"{path}: {error}", REMEDY) from error


def parse_receipt(content: bytes, path: Path) -> Receipt:
    """The receipt in the bytes of `path`. Raises InputError (TW866)."""
    try:
        value = parse_strict_json(content)
        receipt = Receipt.model_validate(_tuples(value))
    except ValidationError as error:
        raise InputError([_problem(path, fault) for fault in error.errors()[:SHOWN]]) from error
    except (ValueError, RecursionError) as error:
        raise InputError.one("TW866", f"{path} is no JSON: {shortened(on_one_line(str(error)))}", REMEDY) from error
    return receipt


def _tuples(value: object) -> object:
    """Lists as tuples: strict types take nothing else in their place."""
    if isinstance(value, dict):
        return {key: _tuples(inner) for key, inner in value.items()}
    return tuple(_tuples(inner) for inner in value) if isinstance(value, list) else value


def _problem(path: Path, fault: object) -> Problem:
    """One fault that pydantic found, with its place in the file."""
    found = fault if isinstance(fault, dict) else {}
    place = on_one_line(".".join(map(str, found.get("loc", ()))))
    message = f"{path}: {shortened(place) or 'the file'}: {shortened(on_one_line(str(found.get('msg', ''))))}"
    return Problem("TW866", "error", message, REMEDY)

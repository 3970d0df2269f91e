"""Hostile versions of a file: cut, flipped, torn, nested, of other types and sizes, or no file at all."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 0.5, 1e308, -1e-308, float("nan"), float("inf"),
    "", "x", "../../etc/passwd", "\x1b[2J", "=1+1", "[red]", "\ud800", "a" * 10_000, "1e9", "0x10",
    [], {}, [[]], [None], {"": None}, [1, "a", {}], {"kind": "step"}, {"__class__": "os.system"},
)  # fmt: skip
RAW = (
    b"", b"\0", b"\xff\xfe", b"{", b"[", b"null", b"0", b'"a"', b"[" * 50_000, b'{"a":' * 20_000, b"1" * 100_000,
    b"{}" * 3, b"\n" * 1000, b"\xef\xbb\xbf{}", b'{"a": 1, "a": 2}', b"NaN", b"-Infinity", b'"\\ud800"',
)  # fmt: skip


def mutate(path: Path, luck: random.Random) -> str:
    """Replace the file at `path` by a hostile version of it; what was done, in a word."""
    name = luck.choice([name for name, chance in WAYS.items() for _ in range(chance)])
    _WAYS[name](path, luck)
    return name


def _flip(path: Path, luck: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(luck.randint(1, 8) if content else 0):
        content[luck.randrange(len(content))] ^= 1 << luck.randrange(8)
    path.write_bytes(content)


def _cut(path: Path, luck: random.Random) -> None:
    content = path.read_bytes()
    start, end = sorted((luck.randrange(len(content) + 1), luck.randrange(len(content) + 1)))
    path.write_bytes(luck.choice((content[:start], content[start:], content[:start] + content[end:])))


def _insert(path: Path, luck: random.Random) -> None:
    content = path.read_bytes()
    at = luck.randrange(len(content) + 1)
    path.write_bytes(content[:at] + luck.choice((*RAW, luck.randbytes(luck.randrange(64)))) + content[at:])


def _raw(path: Path, luck: random.Random) -> None:
    path.write_bytes(luck.choice(RAW))


def _no_file(path: Path, luck: random.Random) -> None:
    path.unlink()
    kind = luck.randrange(5)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to("/dev/zero")
    elif kind == 2:
        path.symlink_to(path)
    elif kind == 3:
        path.mkdir()


def _values(path: Path, luck: random.Random) -> None:
    """Other values in a JSON text, or in some of its lines."""
    lines = path.read_bytes().split(b"\n")
    whole = _json(b"\n".join(lines))
    if whole is not None:
        path.write_text(json.dumps(_changed(whole, luck)), encoding="utf-8", errors="surrogatepass")
        return
    at = luck.randrange(len(lines))
    found = _json(lines[at])
    lines[at] = lines[at] if found is None else json.dumps(_changed(found, luck)).encode()
    path.write_bytes(b"\n".join(lines))


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _changed(value: Any, luck: random.Random) -> Any:
    """`value` with a leaf or a branch replaced, dropped or added."""
    if not isinstance(value, dict | list) or not value or luck.random() < 0.1:
        return luck.choice(VALUES)
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = luck.choice(keys)
    made: Any = dict(value) if isinstance(value, dict) else list(value)
    what = luck.random()
    if what < 0.1:
        del made[key]
    elif what < 0.2 and isinstance(made, dict):
        made[luck.choice(("version", "x", "kind", "step"))] = luck.choice(VALUES)
    else:
        made[key] = _changed(made[key], luck)
    return made


WAYS = {"flip": 3, "cut": 2, "insert": 2, "raw": 1, "no file": 1, "values": 8}
_WAYS: dict[str, Callable[[Path, random.Random], None]] = {
    "flip": _flip, "cut": _cut, "insert": _insert, "raw": _raw, "no file": _no_file, "values": _values,
}  # fmt: skip

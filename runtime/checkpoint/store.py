"""Generations of checkpoints on disk: built under a temporary name, sealed by a manifest of hashes, then renamed.

In: finished files in a draft folder. Out: `step-00000100/` folders that are whole or absent, and `latest`, which names
the newest. Knows nothing of torch, so that its promise can be tested alone: after a kill at any moment the newest
complete generation is found, and damage is found by hash before anything is unpickled.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...spec.atomic_files import sync_folder, write_atomically
from ...spec.foreign_files import read_json
from ...spec.run_folder import checkpoint_name, list_checkpoints, step_of

MANIFEST = "manifest.json"
LATEST = "latest"
ENGINE = "engine"  # folder of DeepSpeed's files in a generation
FORMAT = "trainwright-checkpoint-1"
_FILE = re.compile(r"state\.json|random-\d{5,}\.json|engine/\w+\.pt", re.ASCII)  # names that a generation may hold
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a generation: its size in bytes and its SHA-256."""

    bytes: int
    sha256: str


def create_draft(root: Path, step: int) -> Path:
    """A fresh, empty folder in which the generation of `step` is built. Drafts of killed saves are removed."""
    root.mkdir(parents=True, exist_ok=True)
    clear_drafts(root)
    folder = root / f".draft-{checkpoint_name(step)}"
    folder.mkdir()
    return folder


def clear_drafts(root: Path) -> None:
    """Remove what killed saves and killed removals left behind."""
    for leftover in [*root.glob(".draft-*"), *root.glob(".removed-*")]:
        shutil.rmtree(leftover)
    for leftover in root.glob(f".{LATEST}.*.tmp"):
        leftover.unlink()


def publish(folder: Path, step: int, files: Mapping[str, FileEntry], key: bytes = b"") -> Path:
    """Seal the draft `folder`, give it its final name, then move `latest`: the order is the promise.

    With a `key` the manifest is signed as well, so that nobody without it can seal other files.
    """
    entries = {name: {"bytes": entry.bytes, "sha256": entry.sha256} for name, entry in sorted(files.items())}
    body: dict[str, Any] = {"format": FORMAT, "step": step, "files": entries}
    signature = {"hmac": _signature(body, key)} if key else {}
    write_atomically(folder / MANIFEST, _dump({**body, "sha256": _digest(body), **signature}))
    for inner in {(folder / name).parent for name in files}:
        sync_folder(inner)
    final = folder.with_name(checkpoint_name(step))
    if final.exists():
        _remove(final)
    folder.rename(final)
    sync_folder(final.parent)
    write_atomically(final.parent / LATEST, final.name.encode())
    return final


def prune(root: Path, step: int, keep_last: int, keep_every: int) -> None:
    """Remove generations up to `step` beyond the newest `keep_last`, except multiples of `keep_every`.

    What is incomplete, or later than `step`, is no checkpoint of this run's to fall back to, and so counts for none.
    """
    past = [generation for generation in list_checkpoints(root) if step_of(generation) <= step]
    kept = [generation for generation in past if not incomplete(generation)][:keep_last]
    for old in past:
        if old not in kept and not (keep_every and step_of(old) % keep_every == 0):
            _remove(old)


def set_aside(generation: Path) -> None:
    """Rename a damaged generation, so that nothing takes it for a checkpoint; its bytes stay, to be looked at."""
    target = generation.with_name(f"damaged-{generation.name}")
    shutil.rmtree(target, ignore_errors=True)
    generation.rename(target)


def read_manifest(generation: Path, key: bytes = b"") -> dict[str, FileEntry]:
    """The files that a generation promises. Raises ValueError with the reason when the manifest is damaged."""
    try:
        raw = read_json(generation / MANIFEST)
        seal, signature = raw.pop("sha256"), raw.pop("hmac", "")
        genuine = (raw["format"], raw["step"], seal) == (FORMAT, step_of(generation), _digest(raw))
        signed = not key or hmac.compare_digest(signature, _signature(raw, key))
        files = {name: FileEntry(entry["bytes"], entry["sha256"]) for name, entry in raw["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{generation.name}/{MANIFEST} is damaged: {error}") from error
    if not genuine:
        raise ValueError(f"{generation.name}/{MANIFEST} is damaged: its seal does not match")
    if not signed:
        raise ValueError(f"{generation.name}/{MANIFEST} is not signed with the key of training.checkpoint.key_file")
    return files


def find_damage(generation: Path, share: tuple[int, int] = (0, 1), key: bytes = b"") -> str | None:
    """What is wrong with a generation, or None. `share` = (i, n): hash only every n-th file, from the i-th.

    Nothing is unpickled. Files that the manifest does not name count as damage, and so does a name that no save
    gives: no save put them there.
    """
    try:
        promised = read_manifest(generation, key)
    except ValueError as error:
        return str(error)
    if foreign := sorted(name for name in promised if not _FILE.fullmatch(name)):
        return f"{generation.name}/{MANIFEST} names {foreign[0]!r}, which is not a file of a checkpoint"
    found = {str(p.relative_to(generation)) for p in generation.rglob("*") if not p.is_dir() or p.is_symlink()}
    if strange := sorted(found - promised.keys() - {MANIFEST}):
        return f"{generation.name}/{strange[0]} is not in the manifest"
    mine = sorted(promised)[share[0] :: share[1]]
    return next(
        (
            f"{generation.name}/{name} {why}"
            for name in mine
            if (why := _file_damage(generation / name, promised[name]))
        ),
        None,
    )


def incomplete(generation: Path, key: bytes = b"") -> str | None:
    """What a look at the manifest and the sizes of the files finds wrong with a generation, without hashing them."""
    try:
        promised = read_manifest(generation, key)
    except ValueError as error:
        return str(error)
    sizes = ((name, _size_flaw(generation / name, entry)) for name, entry in promised.items())
    return next((f"{generation.name}/{name} {why}" for name, why in sizes if why), None)


def hash_file(path: Path) -> FileEntry:
    """Size and SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return FileEntry(size, digest.hexdigest())


def merge_entries(parts: Iterable[Mapping[str, FileEntry]]) -> dict[str, FileEntry]:
    """The files that all ranks wrote, as one manifest."""
    return {name: entry for part in parts for name, entry in part.items()}


def _size_flaw(path: Path, entry: FileEntry) -> str | None:
    if path.is_symlink() or not path.is_file():
        return "is missing"
    size = path.stat().st_size
    return None if size == entry.bytes else f"has {size} bytes instead of {entry.bytes}"


def _file_damage(path: Path, entry: FileEntry) -> str | None:
    if flaw := _size_flaw(path, entry):
        return flaw
    try:
        return None if hash_file(path) == entry else "has a different SHA-256"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _remove(generation: Path) -> None:
    """Rename first: a half-removed generation must not look like a damaged one."""
    doomed = generation.with_name(f".removed-{generation.name}")
    if doomed.exists():
        shutil.rmtree(doomed)
    generation.rename(doomed)
    shutil.rmtree(doomed)


def _dump(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_dump(body)).hexdigest()


def _signature(body: Mapping[str, Any], key: bytes) -> str:
    return hmac.digest(key, _dump(body), "sha256").hex()

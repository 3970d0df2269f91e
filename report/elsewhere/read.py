"""A file of another tool in, its usages out: which tool wrote it is told by its beginning."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import Any

from ...spec.foreign_files import parse_json, read_linked
from ...spec.problem import InputError
from . import by_hand, codecarbon, nvidia_smi, prometheus_range, sacct, wandb_metrics, zeus
from .usage import Usage

LARGEST = 256 * 2**20  # bytes: a week of eight GPUs, a sample a second
TEXTS: tuple[tuple[Callable[[str], bool], Callable[[str, Path, tzinfo], list[Usage]]], ...] = (
    (codecarbon.is_codecarbon, codecarbon.read_codecarbon),
    (zeus.is_zeus, zeus.read_zeus),
    (sacct.is_sacct, sacct.read_sacct),
    (nvidia_smi.is_nvidia_smi, nvidia_smi.read_nvidia_smi),
    (wandb_metrics.is_wandb, wandb_metrics.read_wandb),
    (by_hand.is_by_hand, by_hand.read_by_hand),
)
VALUES: tuple[tuple[Callable[[Any], bool], Callable[[Any, Path, tzinfo], list[Usage]]], ...] = (
    (prometheus_range.is_prometheus, prometheus_range.read_prometheus),
    (zeus.is_zeus_json, zeus.read_zeus_json),
)
KNOWN = (
    "CodeCarbon's emissions.csv, a log or measurements of Zeus, `sacct -P`, a Prometheus range query of DCGM, "
    "`nvidia-smi --query-gpu=... --format=csv`, W&B's system metrics, or a CSV file with name,gpu_hours,watts"
)


def read_usages(path: Path, zone: tzinfo) -> list[Usage]:
    """What a file says that was used. Raises InputError (TW890 where it is of no known tool, TW891, TW892)."""
    try:
        text = read_linked(path, LARGEST).decode("utf-8-sig")
    except OSError as error:
        raise InputError.one(
            "TW890", f"cannot read {path}: {error.strerror}", "Give a file that may be read."
        ) from error
    except ValueError as error:  # too large, or not UTF-8
        raise InputError.one("TW890", f"{path} cannot be read: {error}", f"These can: {KNOWN}.") from error
    found = _from_json(text, path, zone) if text.lstrip()[:1] in ("{", "[") else _from_text(text, path, zone)
    if found is None:
        raise InputError.one("TW890", f"no known tool writes files like {path}", f"These are read: {KNOWN}.")
    return found


def _from_text(text: str, path: Path, zone: tzinfo) -> list[Usage] | None:
    first = text.partition("\n")[0].strip()
    return next((read(text, path, zone) for fits, read in TEXTS if fits(first)), None)


def _from_json(text: str, path: Path, zone: tzinfo) -> list[Usage] | None:
    try:
        value = parse_json(text)
    except ValueError as error:
        raise InputError.one("TW890", f"{path} is no JSON: {error}", f"These are read: {KNOWN}.") from error
    return next((read(value, path, zone) for fits, read in VALUES if fits(value)), None)

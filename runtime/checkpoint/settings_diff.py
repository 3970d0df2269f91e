"""What differs between the settings of a checkpoint and those of the plan that resumes from it, key by key."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from ...spec.plan import Plan
from ...spec.problem import InputError, Problem

PACKAGES = ("torch", "deepspeed", "trainwright")  # whose versions may change the numbers

# Settings that say what is trained: another value makes another run, never a continuation.
FIXED = (
    "extends_run",
    "model.",
    "tokenizer.",
    "data.train.",
    "data.seed",
    "data.validation",
    "data.deduplicate",
    "layout.offload",
    "training.precision",
    "training.sequence_length",
    "training.seed",
)
# Degrees that say which rank holds what.
RESHARD = ("layout.data", "layout.sequence", "layout.tensor", "layout.pipeline", "layout.zero", "layout.shard_group")
# Settings with no influence on the weights; a new value is simply used.
HARMLESS = (
    "name",
    "spec_sha256",
    "device.",
    "carbon.",
    "logging",
    "model.name",
    "training.on_change",
    "training.checkpoint.",
)
HARMLESS_KEYS = (
    "schedule.checkpoint_every",
    "schedule.checkpoint_seconds",
    "tokenizer.training_bytes",
    "data.on_bad_document",
    "data.max_document",
    "data.max_expansion",
    "data.store",
)
NOTES = (".licence", ".origin")  # of a source


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One setting with its value in the checkpoint and its value now."""

    key: str
    before: Any
    now: Any
    cannot_reshard: bool = False  # whether the layout of now cannot take in the pieces of another

    @property
    def harmless(self) -> bool:
        """Whether it cannot influence the weights."""
        return self.key.startswith(HARMLESS + HARMLESS_KEYS) or self.key.endswith(NOTES) or self.moves

    @property
    def moves(self) -> bool:
        """Whether it only says where the same text or tokenizer lies now. The digests of the data decide that."""
        if self.key == "tokenizer.path":
            return None not in (self.before, self.now)
        corpus = self.key.startswith(("data.train.", "data.validation_source."))
        return corpus and self.key.endswith(".path") and None not in (self.before, self.now)

    @property
    def reshards(self) -> bool:
        """Whether ranks hold other pieces of the state than before."""
        return self.key in RESHARD

    @property
    def fixed(self) -> bool:
        """Whether it can never be applied to a run that has begun."""
        across_stage_3 = self.key == "layout.zero" and 3 in (self.before, self.now)  # DeepSpeed converts neither way
        return (
            across_stage_3
            or (self.reshards and self.cannot_reshard)
            or (self.key.startswith(FIXED) and not self.harmless)
        )

    def __str__(self) -> str:
        return f"{self.key}: {self.before!r} in the checkpoint, {self.now!r} now"


def versions() -> Mapping[str, str]:
    """The packages that decide about numbers, and Python."""
    return {**{name: version(name) for name in PACKAGES}, "python": platform.python_version()}


def checkpoint_settings(plan: Plan, versions: Mapping[str, str]) -> dict[str, Any]:
    """What a checkpoint remembers of how it was made."""
    return {"plan": plan.model_dump(mode="json"), "versions": dict(versions)}


def diff_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[SettingChange]:
    """Every leaf that differs, plan and library versions alike, in order of keys."""
    old = dict(_leaves(before["plan"])) | {f"version of {k}": v for k, v in before["versions"].items()}
    new = dict(_leaves(now["plan"])) | {f"version of {k}": v for k, v in now["versions"].items()}
    keys = sorted(old.keys() | new.keys())
    # DeepSpeed's ZeRO-3 takes whole weights in, and would cut past the end of tensor-parallel ones; its conversion
    # knows pipelines of its own engine only (0.19.8).
    staged = max(old["layout.pipeline"], new["layout.pipeline"]) > 1
    stuck = staged or (new["layout.zero"] == 3 and new["layout.tensor"] > 1)
    return [SettingChange(key, old.get(key), new.get(key), stuck) for key in keys if old.get(key) != new.get(key)]


def refusals(found: list[SettingChange], on_change: str) -> list[Problem]:
    """A problem for every change that the spec, or reason, refuses."""
    refused = (change for change in found if not change.harmless and (change.fixed or on_change == "refuse"))
    return [_problem(change) for change in refused]


def accept_changes(found: list[SettingChange], on_change: str) -> list[SettingChange]:
    """The changes to apply. Raises InputError naming every one that is refused."""
    if problems := refusals(found, on_change):
        raise InputError(problems)
    return found


def _problem(change: SettingChange) -> Problem:
    if change.fixed:
        remedy = "restore the old value, or use a new run folder: this setting cannot change during a run"
    else:
        remedy = "restore the old value, or write `on_change: apply` under `training` to resume with the new one"
    return Problem("TW711", "error", str(change), remedy, change.key)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield from _leaves({str(number): inner for number, inner in enumerate(value)}, path)
    else:
        yield path, value

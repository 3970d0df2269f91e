"""Software profiles on a device family at a date: which attention kernel they run, and whether rows bear them out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from ...spec.facts import figures
from ...spec.problem import InputError
from .profile_sections import MemoryUse, Overlap, Recomputed, Runnable, StateBytes
from .software_profile import SoftwareProfile

SECTIONS = {"selective": Recomputed, "overlap": Overlap, "state": StateBytes, "memory": MemoryUse, "layouts": Runnable}


def _merged(name: str) -> dict[str, Any]:
    row = figures("software")["profiles"][name]
    base = _merged(row["base"]) if "base" in row else {}
    merged = {**base, **row}
    for key, value in row.items():
        if isinstance(value, dict):
            merged[key] = {**base.get(key, {}), **value}
    return merged


def _typed(key: str, value: Any) -> Any:
    """A value of the table as its field has it: a section, a tuple instead of a list, or as it is."""
    if key in SECTIONS:
        return SECTIONS[key](**{name: _typed("", part) for name, part in value.items()})
    return tuple(value) if isinstance(value, list) else value


def profile_names() -> tuple[str, ...]:
    """Every software profile of the facts table."""
    return tuple(figures("software")["profiles"])


@cache
def profile(name: str, family: str = "ampere", date: str | None = None) -> SoftwareProfile:
    """The profile `name` as it runs on a device family in a year and month ("2024-07"; None: the last it is known of).

    Raises InputError when there is none of that name.
    """
    if name not in figures("software")["profiles"]:
        known = ", ".join(profile_names())
        raise InputError.one("TW843", f"unknown software profile {name!r}", f"known profiles: {known}", "profile")
    row = {key: _typed(key, value) for key, value in _merged(name).items() if key != "base"}
    stack = SoftwareProfile(name=name, **row)
    return replace(stack, attention=_kernel(stack, family, date)) if stack.attention == "newest" else stack


def _kernel(stack: SoftwareProfile, family: str, date: str | None) -> str:
    """The attention kernel of the date: what the device has a kernel of, once the stack had taken it up."""
    when = date or stack.dates[1]
    if family == "blackwell" or (family == "hopper" and when >= stack.flash3_since):
        return "flash3"
    since = figures("constants")["attention"]["since"]
    return max((kind for kind in since if since[kind] <= when), default="materialised")


def extrapolated(stack: SoftwareProfile, family: str, date: str | None = None) -> str:
    """Why no published row bears the profile out, in words after "no published run"; empty where one does."""
    if family not in stack.families:
        return f"of {stack.name} on a device of the {family} family"
    first, last = stack.dates
    if date and not first <= date <= last:
        return f"of {stack.name} in {date}"
    return ""

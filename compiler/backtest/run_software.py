"""Which software a published run used, and when: its framework's profile, with the attention kernel of its date.

The rules are data (`facts/software.yaml`: frameworks). In: a row.
Out: a `SoftwareProfile`, and what the framework recomputes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...spec.facts import figures
from ...spec.layout import ActivationCheckpointing
from ..cost.software_profile import SoftwareProfile
from ..cost.stack import profile
from .published_run import PublishedRun

MONTH = re.compile(r"(?<!\d)(20[12]\d)(?:-(0[1-9]|1[0-2]))?(?!\d)")
MIDYEAR = 7


def date(row: PublishedRun) -> str | None:
    """Year and month of a run, as its source's date, its framework or its title says; of a span, the middle."""
    for key in ("source_date", "framework", "source_title"):
        found = MONTH.findall(str(getattr(row, key) or ""))
        months = [12 * int(year) + int(month or MIDYEAR) - 1 for year, month in found]
        if months:
            year, month = divmod((min(months) + max(months)) // 2, 12)
            return f"{year}-{month + 1:02}"
    return None


def _flash(row: PublishedRun, when: str | None) -> bool:
    """Whether attention was fused; where the row does not say, it was once FlashAttention-2 was out."""
    said = row.flash_attn
    return bool(said) if said is not None else (when or "") >= figures("constants")["attention"]["since"]["flash2"]


def _applies(rule: Mapping[str, Any], row: PublishedRun, text: str, when: str | None) -> bool:
    return (
        rule.get("flash") in (None, _flash(row, when))
        and row.zero in rule.get("zero", (row.zero,))
        and (when is None or rule.get("since", "") <= when)
        and ("before" not in rule or (when is not None and when < rule["before"]))
        and re.search(rule["pattern"], text, re.IGNORECASE) is not None
    )


def software(row: PublishedRun, family: str) -> tuple[SoftwareProfile, ActivationCheckpointing]:
    """The profile of a row's framework on a device family, and what it recomputes unless the row says."""
    table = figures("software")
    defaults, when = table["defaults"], date(row)
    staged = (row.pipeline or 1) > 1
    compiled, sharding = "compile" if row.compile else "", "" if staged else row.sharding
    text = " ".join(str(word) for word in (row.framework, compiled, sharding, row.model) if word)
    rule = next((rule for rule in table["frameworks"] if _applies(rule, row, text, when)), None)
    if rule:
        return profile(rule["profile"], family, when), rule.get("activation_checkpointing", "none")
    if staged or (row.tensor or 1) > 1:
        name = defaults["model_parallel"].get(family, defaults["model_parallel"]["ampere"])
    else:
        name = defaults["benchmark" if row.kind == "benchmark" else "profile"]
    return profile(name, family, when), "none"

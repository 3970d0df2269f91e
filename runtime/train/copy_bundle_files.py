"""What an attempt keeps of the bundle that it ran with, so that its report needs nothing but the run folder."""

from __future__ import annotations

from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.manifest import MANIFEST


def keep(bundle: Path, attempt: Path) -> None:
    """Copy plan, estimate, spec and manifest into an attempt's folder. Call once it is sure to run with this bundle."""
    attempt.mkdir(parents=True, exist_ok=True)
    for name in ("plan.json", "estimate.json", "spec.lock.yaml", MANIFEST):
        source = bundle / name
        if source.exists():
            write_atomically(attempt / name, source.read_bytes())

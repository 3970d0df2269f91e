"""What a run keeps of the bundle that started it, so that its report needs nothing but the run folder."""

from __future__ import annotations

from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.manifest import MANIFEST
from ...spec.run_folder import RunFolder


def keep(bundle: Path, run: RunFolder) -> None:
    """Copy plan, estimate and manifest into the run folder. Call once the run is sure to go on with this bundle."""
    for name in (run.plan.name, run.estimate.name, MANIFEST):
        source = bundle / name
        if source.exists():
            write_atomically(run.path / name, source.read_bytes())

"""Files of the power cap that an administrator installs, by mode.

`sudo` is part of node.sh, `site-flag` of the batch script; `assume-set` needs nothing. In every mode the run reads the
enforced limit back and reports it.
"""

from __future__ import annotations

from .shell import script
from .unit import Unit


def prolog_files(unit: Unit) -> dict[str, str]:
    """Slurm prolog and epilog that set and take back the cap that a job's comment asks for."""
    device = unit.plan.device
    if device.power_cap_watts is None or device.power_cap_mode != "prolog-file":
        return {}
    return {
        "power-cap.prolog.sh": script("power-cap.prolog.sh.j2"),
        "power-cap.epilog.sh": script("power-cap.epilog.sh.j2"),
    }

"""Target `slurm`: two jobs, one that prepares the data on one node and one that trains, submitted by launch.sh."""

from __future__ import annotations

from typing import Any

from .inputs import Unit
from .node_script import node_script
from .power import prolog_files
from .shell import script

LONGEST_SAVE = 600  # seconds between the warning and the end of a job: twice what a large checkpoint should take
SHARE_OF_LIMIT = 4  # but no more than this part of a short job


def files(unit: Unit) -> dict[str, str]:
    """launch.sh, the two batch scripts, node.sh, and the power cap's prolog and epilog where the site uses them."""
    values = _values(unit)
    return {
        "launch.sh": script("slurm.launch.sh.j2", **values),
        "prepare.sbatch": script("slurm.prepare.sbatch.j2", **values),
        "slurm.sbatch": script("slurm.train.sbatch.j2", **values),
        "node.sh": node_script(unit),
        **prolog_files(unit),
    }


def _values(unit: Unit) -> dict[str, Any]:
    launch, device = unit.spec.launch, unit.plan.device
    cap, mode = device.power_cap_watts, device.power_cap_mode
    return {
        "name": unit.plan.name,
        "nodes": unit.nodes,
        "gpus": 0 if device.kind == "cpu" else device.per_node,
        "partition": launch.partition,
        "account": launch.account,
        "container": launch.container,
        "time": None if launch.time_limit is None else duration(launch.time_limit),
        "warning": _warning(launch.time_limit),
        "gpu_power": round(cap) if cap is not None and mode == "site-flag" else None,
        "comment": f"gpu-power-cap={round(cap)}" if cap is not None and mode == "prolog-file" else None,
    }


def duration(seconds: float) -> str:
    """Seconds as Slurm writes a time: days-hours:minutes:seconds."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{days}-{hour:02}:{minute:02}:{second:02}"


def _warning(limit: float | None) -> int:
    """Seconds before its end at which a job is asked to save."""
    return LONGEST_SAVE if limit is None else round(min(LONGEST_SAVE, limit / SHARE_OF_LIMIT))

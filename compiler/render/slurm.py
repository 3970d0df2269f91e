"""Target `slurm`: two jobs, one that prepares the data on one node and one that trains, submitted by launch.sh."""

from __future__ import annotations

import math
from typing import Any

from ...spec.launch import Launch
from .inputs import RenderInputs
from .node_script import node_script
from .power_cap_files import prolog_files
from .shell import script

LONGEST_SAVE = 600  # seconds between the warning and the end of a job: twice what a large checkpoint should take
SHARE_OF_LIMIT = 4  # but no more than this part of a short job
MEBIBYTE = 2**20  # Slurm counts memory in these
Directives = list[tuple[str, str | int | None]]


def files(unit: RenderInputs) -> dict[str, str]:
    """launch.sh, the two batch scripts, node.sh, and the power cap's prolog and epilog where the site uses them."""
    launch = unit.spec.launch
    values: dict[str, Any] = {
        "name": unit.plan.name,
        "nodes": unit.nodes,
        "gpus": unit.plan.device.kind == "cuda",
        "container": launch.container,
        "setup": bool(launch.setup),
        "requeue": launch.slurm.requeue,
        "warning": _warning(launch),
        "workers": launch.slurm.prepare.nodes,
        "store": unit.plan.data.store,
    }
    return {
        "launch.sh": script("slurm.launch.sh.j2", **values),
        "prepare.sbatch": script(
            "slurm.prepare.sbatch.j2", directives=_given(_preparing(unit)), **values | {"gpus": False}
        ),
        "slurm.sbatch": script("slurm.train.sbatch.j2", directives=_given(_training(unit)), **values),
        "node.sh": node_script(unit),
        **prolog_files(unit),
    }


def _training(unit: RenderInputs) -> Directives:
    """The options of the training job, in sbatch's own names; None leaves one out."""
    launch, slurm, device = unit.spec.launch, unit.spec.launch.slurm, unit.plan.device
    cap, mode = device.power_cap_watts, device.power_cap_mode
    by_flag = cap is not None and mode == "site-flag"
    return [
        ("job-name", unit.plan.name),
        ("nodes", unit.nodes),
        ("ntasks-per-node", 1),
        ("gpus-per-node", device.per_node if device.kind == "cuda" and slurm.gres is None else None),
        ("gres", slurm.gres),
        *_share_of_node(slurm.exclusive, slurm.mem, slurm.cpus_per_task),
        ("partition", launch.partition),
        ("account", launch.account),
        ("qos", slurm.qos),
        ("constraint", slurm.constraint),
        ("reservation", slurm.reservation),
        ("nodelist", slurm.nodelist),
        ("exclude", slurm.exclude),
        ("licenses", slurm.licenses),
        ("switches", slurm.switches),
        ("time", None if launch.time_limit is None else duration(launch.time_limit)),
        ("gpu-power", round(cap) if cap is not None and by_flag else None),
        ("mail-user", slurm.mail_user),
        ("mail-type", ",".join(slurm.mail_type) or None),
        ("comment", _comment(unit)),
        *slurm.options.items(),
        ("requeue" if slurm.requeue else "no-requeue", ""),
        ("open-mode", "append"),
        ("kill-on-invalid-dep", "yes"),
    ]


def _preparing(unit: RenderInputs) -> Directives:
    """The options of the job that prepares the data: `launch.slurm.prepare`, else what the training job has."""
    launch, slurm = unit.spec.launch, unit.spec.launch.slurm
    own = slurm.prepare
    return [
        ("job-name", f"{unit.plan.name}-prepare"),
        ("nodes", 1),
        ("ntasks", 1),
        *_share_of_node(own.exclusive, own.mem, own.cpus_per_task),
        ("partition", own.partition or launch.partition),
        ("account", own.account or launch.account),
        ("qos", own.qos or slurm.qos),
        ("constraint", own.constraint),
        ("reservation", slurm.reservation),
        ("time", None if own.time_limit is None else duration(own.time_limit)),
        *own.options.items(),
    ]


def _share_of_node(exclusive: bool, memory: int | None, cores: int | None) -> Directives:
    """A whole node with all its memory, or the part of it that the spec asks for."""
    mebibytes = 0 if memory is None and exclusive else None if memory is None else -(-memory // MEBIBYTE)
    return [
        ("exclusive", "" if exclusive else None),
        ("mem", mebibytes),  # 0 asks for all
        ("cpus-per-task", cores),
    ]


def _comment(unit: RenderInputs) -> str | None:
    """The spec's comment, and the power cap where the site's prolog reads it there."""
    device = unit.plan.device
    cap = device.power_cap_watts
    asked = f"gpu-power-cap={round(cap)}" if cap is not None and device.power_cap_mode == "prolog-file" else None
    return "; ".join(text for text in (unit.spec.launch.slurm.comment, asked) if text) or None


def _given(directives: Directives) -> list[tuple[str, str | int]]:
    return [(name, value) for name, value in directives if value is not None]


def duration(seconds: float) -> str:
    """Seconds as Slurm writes a time: days-hours:minutes:seconds. Never zero, which Slurm takes for no limit."""
    minutes, second = divmod(math.ceil(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{days}-{hour:02}:{minute:02}:{second:02}"


def _warning(launch: Launch) -> int:
    """Seconds before its end at which a job is asked to save."""
    if launch.slurm.signal_lead is not None:
        return round(launch.slurm.signal_lead)
    limit = launch.time_limit
    return LONGEST_SAVE if limit is None else round(min(LONGEST_SAVE, limit / SHARE_OF_LIMIT))

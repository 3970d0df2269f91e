"""Files as other tools write them, of two GPUs that drew 300 W for a tenth of an hour: 0.06 kWh in 0.2 device hours."""

from __future__ import annotations

import json
from pathlib import Path

BEGIN = 1_790_000_000
SECONDS = 360
KWH, HOURS = 0.06, 0.2

CODECARBON = f"""\
timestamp,project_name,run_id,experiment_id,duration,emissions,emissions_rate,cpu_power,gpu_power,ram_power,\
cpu_energy,gpu_energy,ram_energy,energy_consumed,region,cpu_model,gpu_count,gpu_model,pue
2026-09-21T14:13:20,llama,run-1,5b,100,0.01,0.0001,40,600,5,0.002,0.02,0.001,0.023,paris,EPYC,2,2 x A100,1.2
2026-09-21T14:19:20,llama,run-1,5b,{SECONDS},0.04,0.0001,40,600,5,0.006,{KWH * 1.2},0.002,0.08,paris,EPYC,2,2 x A100,1.2
"""
ZEUS = f"""\
start_time,window_name,elapsed_time,gpu0_energy,gpu1_energy
{BEGIN},epoch,{SECONDS},108000,108000
{BEGIN},step,100,30000,30000
{BEGIN + 100},step,100,30000,30000
"""
SACCT = """\
JobID|JobName|User|State|Start|End|ElapsedRaw|AllocTRES|ConsumedEnergyRaw
77|llama|ada|FAILED|2026-09-21T14:13:20|2026-09-21T14:19:20|360|billing=16,cpu=16,gres/gpu:a100=2,gres/gpu=2,node=1|
77.batch|batch||FAILED|2026-09-21T14:13:20|2026-09-21T14:19:20|360|cpu=16,node=1|200000
77.extern|extern||COMPLETED|2026-09-21T14:13:20|2026-09-21T14:19:20|360|cpu=16,node=1|216000
77.0|train||FAILED|2026-09-21T14:13:30|2026-09-21T14:19:20|350|cpu=16,gres/gpu=2,node=1|210000
78|more|ada|COMPLETED|2026-09-21T15:00:00|2026-09-21T15:30:00|1800|cpu=8,gres/gpu=1,node=1|
"""
BY_HAND = "name,gpu_hours,watts,device\nllama2-7b,184320,400,A100-80GB\n"


def _moment(second: int) -> str:
    return f"2026/09/21 14:{13 + (20 + second) // 60:02d}:{(20 + second) % 60:02d}.000"


def nvidia_smi(*, skip: range = range(0)) -> str:
    """A log with a sample of each GPU every ten seconds, but for those seconds."""
    rows = [
        f"{_moment(second)}, GPU-{gpu}, NVIDIA A100, 300.00 W"
        for second in range(0, SECONDS + 1, 10)
        for gpu in "ab"
        if second not in skip
    ]
    return "timestamp, uuid, name, power.draw [W]\n" + "\n".join(rows) + "\n"


def prometheus() -> str:
    """Power and the energy counter of both GPUs."""
    seconds = range(0, SECONDS + 1, 15)
    kinds = {
        "DCGM_FI_DEV_POWER_USAGE": lambda _: "300",
        "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": lambda second: str(5e12 + 300e3 * second),
    }
    result = [
        {
            "metric": {"__name__": name, "UUID": f"GPU-{gpu}", "Hostname": "n1", "modelName": "A100"},
            "values": [[BEGIN + second, value(second)] for second in seconds],
        }
        for name, value in kinds.items()
        for gpu in "ab"
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def wandb() -> str:
    """Rows of both GPUs, and one of another metric."""
    rows = [f"{BEGIN + second},{second},300.0,300.0,200.0," for second in range(0, SECONDS + 1, 15)]
    head = (
        "_timestamp,_runtime,system.gpu.0.powerWatts,system.gpu.1.powerWatts,system.gpu.process.0.powerWatts,system.cpu"
    )
    return "\n".join([head, *rows, f"{BEGIN + 5},5,,,,0.5"]) + "\n"


def zeus_json() -> str:
    """Two measurements, one after the other."""
    return json.dumps([{"time": SECONDS / 2, "gpu_energy": {"0": 54000.0, "1": 54000.0}} for _ in range(2)])


FILES = {
    "codecarbon.csv": CODECARBON,
    "zeus.csv": ZEUS,
    "zeus.json": zeus_json(),
    "nvidia-smi.csv": nvidia_smi(),
    "dcgm.json": prometheus(),
    "wandb.csv": wandb(),
}


def write(folder: Path, name: str, content: str) -> Path:
    """A file of that content."""
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path

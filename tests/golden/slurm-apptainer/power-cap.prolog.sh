#!/usr/bin/env bash
# For the administrator: Slurm prolog (slurm.conf: Prolog=...). Sets the power limit that a job asks for in its comment,
# gpu-power-cap=WATTS, on the job's GPUs. The driver refuses what is outside of a device's range; the job reads back
# what is enforced and reports it.
set -uo pipefail

comment=$(scontrol show job "$SLURM_JOB_ID" | sed -n 's/^ *Comment=//p')
[[ $comment =~ (^|[ ;])gpu-power-cap=([0-9]+)$ ]] || exit 0
watts=${BASH_REMATCH[2]}
nvidia-smi --persistence-mode=1 >/dev/null
nvidia-smi --id="${SLURM_JOB_GPUS:-0}" --power-limit="$watts" ||
  logger "Trainwright: power limit of $watts W refused on $(hostname) for job $SLURM_JOB_ID"
# A failed prolog would drain the node; the job finds out by reading back.
exit 0

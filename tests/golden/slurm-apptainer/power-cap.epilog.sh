#!/usr/bin/env bash
# For the administrator: Slurm epilog (slurm.conf: Epilog=...). Gives the job's GPUs their default power limit again.
set -uo pipefail

IFS=, read -ra devices <<<"${SLURM_JOB_GPUS:-}"
for device in "${devices[@]}"; do
  default=$(nvidia-smi --id="$device" --query-gpu=power.default_limit --format=csv,noheader,nounits)
  nvidia-smi --id="$device" --power-limit="${default%.*}" >/dev/null ||
    logger "Trainwright: the default power limit could not be restored on $(hostname), device $device"
done
exit 0

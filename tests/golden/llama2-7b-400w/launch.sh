#!/usr/bin/env bash
# Submits the run llama2-7b-400w to Slurm, or goes on with it: launch.sh [RUN_FOLDER] [PROJECT_FOLDER]
# Bundle, run folder and project folder must be on a file system that all nodes share.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.
set -euo pipefail
unset CDPATH # or cd would print, and go elsewhere

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=${1:-runs/llama2-7b-400w}
root=$(cd -- "${2:-.}" && pwd -P) # where the spec's data files are looked for
mkdir -p -- "$run/logs" || exit 2 # mkdir says why
run=$(cd -- "$run" && pwd -P)

if ! command -v sbatch >/dev/null; then
  echo "trainwright: TW707: there is no sbatch here: launch from a login node of the cluster" >&2
  exit 2
fi

# One submission at a time, and none while an earlier job of this run folder waits or runs.
exec 9>"$run/submit.lock"
if ! flock --nonblock 9; then
  echo "trainwright: TW705: $run is being submitted by another launch" >&2
  exit 2
fi
if [[ -s $run/slurm-job ]] && [[ -n $(squeue --noheader --jobs="$(<"$run/slurm-job")" 2>/dev/null) ]]; then
  echo "trainwright: TW705: $run is in use by Slurm job $(<"$run/slurm-job"); stop it with: trainwright stop $run" >&2
  exit 2
fi

# Slurm says why it refuses a job, in its own words; below them the settings that they may be about, each with the line
# of the spec that it came from. What was submitted for the job must not run in vain.
refused() {
  cat -- "$run/logs/sbatch.err" >&2
  local about='qos|account|partition'
  case $(<"$run/logs/sbatch.err") in
    *[Qq]os* | *QOS*) ;;
    *account*) about='account|qos|partition' ;;
    *artition*) about='partition' ;;
    *time\ limit*) about='time_limit|partition|qos' ;;
    *reservation*) about='reservation' ;;
    *license*) about='licenses' ;;
    *gres*) about='gres|gpus_per_node' ;;
    *feature*) about='constraint' ;;
    *Memory*) about='mem|partition' ;;
    *) about='[a-z_]+' ;;
  esac
  echo "trainwright: TW708: Slurm refused the job; the settings of the spec that this can be about:" >&2
  sed -n -E '/^(cluster|launch):/,/^[^ ]/{/^ +('"$about"'): .*# .*:[0-9]+$/p}' "$bundle/spec.lock.yaml" >&2
  [[ -z ${prepare:-} ]] || scancel "${prepare%%;*}"
  exit 2
}

# Tokenizing takes one node and can take hours: a job of its own, so that no other node waits for it.
submit() {
  sbatch --parsable --chdir="$run" --output="$run/logs/%x-%j.log" "$@" "$bundle" "$run" "$root" 2>"$run/logs/sbatch.err"
}
prepare=$(submit "$bundle/prepare.sbatch") || refused
train=$(submit --dependency="afterok:${prepare%%;*}" "$bundle/slurm.sbatch") || refused
cat -- "$run/logs/sbatch.err" >&2 # a site's remarks on a job that it took
printf '%s\n' "${train%%;*}" >"$run/slurm-job"
echo "submitted: prepare ${prepare%%;*}, train ${train%%;*}; logs in $run/logs"

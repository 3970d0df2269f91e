#!/usr/bin/env bash
# Submits the run slurm-apptainer to Slurm, or resumes it: launch.sh [RUN_FOLDER] [PROJECT_FOLDER] [prepare]
# With `prepare` it submits only what makes the data.
# Bundle, run folder and project folder must be on a file system that all nodes share.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.
set -euo pipefail
unset CDPATH # or cd would print, and go elsewhere

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=${1:-runs/slurm-apptainer}
root=$(cd -- "${2:-.}" && pwd -P) # where the spec's data files are looked for
python=${TRAINWRIGHT_PYTHON:-python}

if ! command -v sbatch >/dev/null; then
  echo "trainwright: TW707: sbatch is not installed here: launch from a login node of the cluster" >&2
  exit 2
fi
mkdir -p -- "$run" || exit 2 # mkdir says why
run=$(cd -- "$run" && pwd -P)

# One submission at a time; `trainwright launch` holds the lock for this script.
if [[ -z ${TRAINWRIGHT_LOCK:-} ]]; then
  exec 9>>"$run/lock"
  if ! flock --nonblock 9; then
    echo "trainwright: TW705: $run is being submitted or trained by another launch" >&2
    exit 2
  fi
  export TRAINWRIGHT_LOCK=9
fi

# May the run go ahead with this bundle? No job of it waits or runs, and settings and data are its own.
admit=("$python" -m trainwright.runtime.launch.admit --bundle "$bundle" --run "$run" --root "$root" --elsewhere)
verdict=$("${admit[@]}" --look) || exit
[[ $verdict != finished ]] || exit 0

# Slurm says why it refuses a job, in its own words; below them the settings that they may be about, each with the line
# of the spec that it came from. What was submitted for the job must not run in vain.
said=$(mktemp)
trap 'rm -f -- "$said"' EXIT
jobs=()
refused() {
  "$python" -m trainwright.runtime.launch.slurm_refusal "$bundle/spec.lock.yaml" <"$said"
  [[ ${#jobs[@]} -eq 0 ]] || scancel "${jobs[@]}"
  exit 2
}

# Tokenizing takes one node and can take hours: a job of its own, so that no other node waits for it. Both jobs are held
# until the run has its own copy of the bundle, which they read: a refused submission leaves the run as it was.
submit() {
  local job
  job=$(env -u TRAINWRIGHT_LOCK sbatch --parsable --chdir="$run" --output="$run/logs/%x-%j.log" "$@" \
    "$run/bundle" "$run" "$root" 2>"$said") || refused
  jobs+=("${job%%;*}")
}
submit --hold "$bundle/prepare.sbatch"
submitted="prepare ${jobs[0]}"
if [[ ${3:-} != prepare ]]; then
  submit --dependency="afterok:${jobs[-1]}" "$bundle/slurm.sbatch"
  submitted+=", train ${jobs[-1]}"
fi
cat -- "$said" >&2 # a site's remarks on a job that it took
if ! "${admit[@]}" >/dev/null; then
  scancel "${jobs[@]}"
  exit 2
fi
mkdir -p -- "$run/logs"
# The last job is the run, until it has ended; whoever takes it out of the queue takes the others, too.
printf '%s\n' "${jobs[-1]}" "${jobs[*]:0:${#jobs[@]}-1}" >"$run/slurm-job"
scontrol release "${jobs[0]}"
echo "submitted: $submitted; logs in $run/logs"

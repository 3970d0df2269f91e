#!/usr/bin/env bash
# Submits the run slurm-site-flag to Slurm, or resumes it: launch.sh [RUN_FOLDER] [PROJECT_FOLDER]
# Bundle, run folder and project folder must be on a file system that all nodes share.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.
set -euo pipefail
unset CDPATH # or cd would print, and go elsewhere

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=${1:-runs/slurm-site-flag}
root=$(cd -- "${2:-.}" && pwd -P) # where the spec's data files are looked for
python=${TRAINWRIGHT_PYTHON:-python}

if ! command -v sbatch >/dev/null; then
  echo "trainwright: TW707: there is no sbatch here: launch from a login node of the cluster" >&2
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
refused() {
  "$python" -m trainwright.runtime.launch.slurm_refusal "$bundle/spec.lock.yaml" <"$said"
  [[ -z ${prepare:-} ]] || scancel "${prepare%%;*}"
  exit 2
}

# Tokenizing takes one node and can take hours: a job of its own, so that no other node waits for it. Both jobs are held
# until the run has its own copy of the bundle, which they read: a refused submission leaves the run as it was.
submit() {
  env -u TRAINWRIGHT_LOCK sbatch --parsable --chdir="$run" --output="$run/logs/%x-%j.log" "$@" 2>"$said"
}
files=("$run/bundle" "$run" "$root")
prepare=$(submit --hold "$bundle/prepare.sbatch" "${files[@]}") || refused
train=$(submit --dependency="afterok:${prepare%%;*}" "$bundle/slurm.sbatch" "${files[@]}") || refused
cat -- "$said" >&2 # a site's remarks on a job that it took
if ! "${admit[@]}" >/dev/null; then
  scancel "${prepare%%;*}" "${train%%;*}"
  exit 2
fi
mkdir -p -- "$run/logs"
printf '%s\n' "${train%%;*}" >"$run/slurm-job"
scontrol release "${prepare%%;*}"
echo "submitted: prepare ${prepare%%;*}, train ${train%%;*}; logs in $run/logs"

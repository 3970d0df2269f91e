#!/usr/bin/env bash
# Starts the run pdsh-roce on 2 hosts, or resumes it: launch.sh [RUN_FOLDER] [PROJECT_FOLDER] [prepare]
# With `prepare` it makes the data, and trains nothing.
# Bundle, run folder, project folder and the Python environment must be at the same paths on all hosts.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.
set -euo pipefail
unset CDPATH # or cd would print, and go elsewhere

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=${1:-runs/pdsh-roce}
root=$(cd -- "${2:-.}" && pwd -P) # where the spec's data files are looked for
mkdir -p -- "$run" || exit 2 # mkdir says why
run=$(cd -- "$run" && pwd -P)
# shellcheck source=/dev/null
source "$bundle/env.sh"

if ! command -v pdsh >/dev/null; then
  echo "trainwright: TW707: pdsh is not installed here: install it, or write launch.starter: ssh" >&2
  exit 2
fi

# The supervisor holds the run folder's lock and decides whether the run may go ahead with this bundle. Then the run folder
# has a copy of it, which every restart reads. Ctrl-C becomes "save and exit"; after a lost process nodes.sh is started again
# as long as every start gets further than the one before.
exec "${TRAINWRIGHT_PYTHON:-python}" -m trainwright.runtime.launch.supervise --run "$run" --bundle "$bundle" \
  --root "$root" -- "$run/bundle/nodes.sh" "$run" "$root" "${@:3}"

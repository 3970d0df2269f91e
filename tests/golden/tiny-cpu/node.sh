#!/usr/bin/env bash
# Prepares and trains on this machine: node.sh RUN_FOLDER PROJECT_FOLDER
# Started by launch.sh. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=$1
root=$2
# shellcheck source=/dev/null
source "$bundle/env.sh"
python=${TRAINWRIGHT_PYTHON:-python}

# A signal must not end this script before its children: they save, then exit with a code that says so.
trap ':' TERM INT USR1

# Nothing to save yet: a signal ends these. Hide bash's own "Terminated" message; keep the command's stderr.
quietly() { { "$@" 2>&3 3>&-; } 3>&2 2>/dev/null; }

# One process a device; the code is the one that they recorded.
ranks=("$python" -m trainwright.runtime.launch.node_launcher --run "$run" --ranks 2 --)

# Memory and disk, before hours are spent on them.
quietly "$python" -m trainwright.runtime.preflight --bundle "$bundle" --run "$run"

# Tokenizer and token shards; what is already there and sound is kept.
quietly "$python" -m trainwright.runtime.prepare --bundle "$bundle" --run "$run" --root "$root"

exec "${ranks[@]}" trainwright.runtime.train --bundle "$bundle" --run "$run"

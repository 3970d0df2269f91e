#!/usr/bin/env bash
# Trains on one node of 256: node.sh RUN_FOLDER NODE_RANK MAIN_ADDRESS MAIN_PORT
# Started by launch.sh. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=$1
# shellcheck source=/dev/null
source "$bundle/env.sh"
python=${TRAINWRIGHT_PYTHON:-python}

# A signal must not end this script before its children: they save, then exit with a code that says so.
trap ':' TERM INT USR1

# Nothing to save yet: a signal ends these. Hide bash's own "Terminated" message; keep the command's stderr.
quietly() { { "$@" 2>&3 3>&-; } 3>&2 2>/dev/null; }

# The power cap holds while this script runs, and is restored however it ends. What the devices really enforce
# is read back and recorded by the run: a cap that is not in force is reported, never assumed.
trap '"$python" -m trainwright.runtime.power_cap restore --bundle "$bundle" --run "$run"' EXIT
"$python" -m trainwright.runtime.power_cap apply --bundle "$bundle" --run "$run"

# The nodes meet at the port of the ranks: it is free, all reach it and have their devices, or none starts.
quietly "$python" -m trainwright.runtime.preflight.rendezvous_main --bundle "$bundle" --run "$run" \
  --rank "$2" --nodes 256 --address "$3" --port "$4"

# One process a device; the code is the one that they recorded.
ranks=("$python" -m trainwright.runtime.launch.node_launcher --run "$run" --ranks 8 --nodes 256 --node-rank "$2" --address "$3" --port "$4" --)

# Devices, disk, memory and clocks of every node and the bandwidth between the ranks, before hours are spent on them.
quietly "${ranks[@]}" trainwright.runtime.preflight --bundle "$bundle" --run "$run"

"${ranks[@]}" trainwright.runtime.train --bundle "$bundle" --run "$run"

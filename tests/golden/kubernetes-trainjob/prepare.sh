#!/usr/bin/env bash
# Makes tokenizer and token shards on one node; what is already there and sound is kept: prepare.sh RUN_FOLDER PROJECT_FOLDER
# Started by the jobs that prepare. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=/dev/null
source "$bundle/env.sh"
python=${TRAINWRIGHT_PYTHON:-python}
# Whether the run may go ahead with this bundle; then it has a copy of its own, which the training pods read.
"$python" -m trainwright.runtime.launch.admit --bundle "$bundle" --run "$1" --root "$2"
exec "$python" -m trainwright.runtime.prepare --bundle "$1/bundle" --run "$1" --root "$2"

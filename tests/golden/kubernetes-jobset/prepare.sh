#!/usr/bin/env bash
# Makes tokenizer and token shards, or a step of that: prepare.sh RUN_FOLDER PROJECT_FOLDER start|units|close [INDEX]
# Started by the jobs that prepare. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=/dev/null
source "$bundle/setup.sh"
# shellcheck source=/dev/null
source "$bundle/env.sh"
python=${TRAINWRIGHT_PYTHON:-python}
step=(--step "$3" --index "${4:-0}" --count 4)
# Whether the run may go ahead with this bundle; then it has a copy of its own, which the training pods read.
[[ $3 != start ]] || "$python" -m trainwright.runtime.launch.admit --bundle "$bundle" --run "$1" --root "$2"
exec "$python" -m trainwright.runtime.prepare --bundle "$1/bundle" --run "$1" --root "$2" "${step[@]}"

#!/usr/bin/env bash
# Makes tokenizer and token shards on one node; what is already there and sound is kept: prepare.sh RUN_FOLDER PROJECT_FOLDER
# Started by nodes.sh. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=/dev/null
source "$bundle/setup.sh"
# shellcheck source=/dev/null
source "$bundle/env.sh"
exec "${TRAINWRIGHT_PYTHON:-python}" -m trainwright.runtime.prepare --bundle "$bundle" --run "$1" --root "$2"

#!/usr/bin/env bash
# Finds this host's rank in the hostfile and trains: host.sh RUN_FOLDER MAIN_ADDRESS MAIN_PORT HOST
# Started by nodes.sh through pdsh. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
rank=0
while read -r host _; do
  if [[ $host == "$4" ]]; then
    exec "$bundle/node.sh" "$1" "$rank" "$2" "$3"
  fi
  rank=$((rank + 1))
done <"$bundle/hostfile"
echo "trainwright: $4 is not in the hostfile" >&2
exit 2

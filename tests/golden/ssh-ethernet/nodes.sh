#!/usr/bin/env bash
# Prepares, then trains, on all hosts through ssh: nodes.sh RUN_FOLDER PROJECT_FOLDER [prepare]
# Started by launch.sh. Written by Trainwright: change the spec and compile again.
set -euo pipefail
unset CDPATH

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
python=${TRAINWRIGHT_PYTHON:-python}
run=$1
root=$2
hosts=(node-1.example.org node-2.example.org)
port=$((20000 + $(cksum <<<"$run" | cut -d ' ' -f 1) % 20000)) # the same for every start of this run

# No question is asked: an unknown host key or a missing key is an error. A terminal (-tt) makes the host end what it
# runs for us when we are gone.
options=(-tt -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=15 -o ServerAliveInterval=15
  -o LogLevel=ERROR -o SendEnv=HF_TOKEN)

# That terminal is not ours: where our output is a file, no progress line is to be drawn into it.
[[ -t 1 ]] || export TERM=dumb

# A command line for a host is read by a second shell there: every word is quoted for it.
line() { printf '%q ' env "TRAINWRIGHT_PYTHON=$python" "$@"; }
on() { ssh "${options[@]}" -- "$1" "$(line "${@:2}")" </dev/null; }

# Nothing is started before every host has answered and sees the same folders. At a restart a host may still be
# booting after the fault: the supervisor says for how many seconds all of them together are waited for.
host_timeout=${TRAINWRIGHT_HOST_TIMEOUT:-0}
unreachable=0
for host in "${hosts[@]}"; do
  until why=$(on "$host" test -r "$bundle/plan.json" -a -w "$run" 2>&1); do
    why=${why//$'\r'/} # ssh ends its lines as a terminal does
    if ((SECONDS >= host_timeout)); then
      echo "trainwright: TW706: $host does not answer, or does not see $bundle and $run${why:+: $why}" >&2
      unreachable=1
      break
    fi
    (echo "trainwright: waiting for $host, $((host_timeout - SECONDS)) s more at most: ${why:-it does not see $run}" >&2) || true
    for ((second = 0; second < 15; second++)); do
      [[ ! -e $run/stop ]] || exit 75
      sleep 1
    done
  done
done
[[ $unreachable -eq 0 ]] || exit 2

prepare() { on "$1" bash "$bundle/prepare.sh" "$run" "$root" "${@:2}"; }
# Each host makes units of the data; what a lost one has left undone is made by the first, which closes the dataset.
prepare "${hosts[0]}" start
workers=()
for index in "${!hosts[@]}"; do
  prepare "${hosts[index]}" units "$index" &
  workers+=($!)
done
stopped=0
for index in "${!workers[@]}"; do
  code=0
  wait "${workers[index]}" || code=$?
  case $code in
  0) ;;
  75) stopped=1 ;;
  *) echo "trainwright: ${hosts[index]} did not finish its units (code $code); ${hosts[0]} makes them" >&2 ;;
  esac
done
if [[ $stopped -eq 1 ]]; then
  rm -f -- "$run/stop"
  exit 75
fi
prepare "${hosts[0]}" close
[[ ${3:-} != prepare ]] || exit 0

# Asked to stop, the hosts learn of it from the stop file and save; this script and the connections stay until they have.
trap ':' INT USR1
trap '' TERM # ignored by the connections as well
code=0
nodes=()
for rank in "${!hosts[@]}"; do
  on "${hosts[rank]}" bash "$bundle/node.sh" "$run" "$rank" "${hosts[0]}" "$port" &
  nodes+=($!)
done
for node in "${nodes[@]}"; do
  wait "$node" || code=$?
  # A signal ends `wait` early; the host then still saves.
  while kill -0 "$node" 2>/dev/null; do wait "$node" || code=$?; done
done
[[ ! -s $run/exit_code ]] || code=$(<"$run/exit_code")
exit "$code"

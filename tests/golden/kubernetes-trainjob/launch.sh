#!/usr/bin/env bash
# Starts the run kubernetes-trainjob on Kubernetes, or resumes it: launch.sh [RUN_FOLDER] [PROJECT_FOLDER] [prepare]
# With `prepare` it makes the data, and trains nothing; the project folder is the volume.
# The pod that prepares reads this bundle from a ConfigMap and puts a copy into the run, if it may go ahead; data and runs
# are on the volume claim (k8s.yaml), whose folder runs/kubernetes-trainjob is the run. RUN_FOLDER here only keeps a note for
# `trainwright status` and `stop`.
# For the administrator, once: kubectl apply --filename=k8s-power-cap.yaml, and label the nodes as it says.
# Written by Trainwright: change the spec and compile again; a change made here is noticed by `trainwright launch`.
set -euo pipefail
unset CDPATH # or cd would print, and go elsewhere

bundle=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
run=${1:-runs/kubernetes-trainjob}
namespace=training
job=kubernetes-trainjob
mkdir -p -- "$run" || exit 2 # mkdir says why

if ! command -v kubectl >/dev/null; then
  echo "trainwright: TW707: kubectl is not installed here: launch from where you reach the cluster" >&2
  exit 2
fi
alive=(--selector="trainwright/run=$job" --field-selector='status.phase!=Succeeded,status.phase!=Failed')
if [[ -n $(kubectl --namespace "$namespace" get pods "${alive[@]}" --output=name) ]]; then
  echo "trainwright: TW705: $run is in use by Kubernetes trainjob $namespace/$job; stop it with: trainwright stop $run" >&2
  exit 2
fi
# Finished jobs keep their names, and their pod template cannot be changed.
kubectl --namespace "$namespace" delete trainjob/"$job" "job.batch/$job"-prepare --ignore-not-found

# Waits for a job; its words and a code where it failed.
ended() {
  until kubectl --namespace "$namespace" wait --for=condition=complete --timeout=30s "job/$1" 2>/dev/null; do
    if kubectl --namespace "$namespace" wait --for=condition=failed --timeout=0s "job/$1" 2>/dev/null; then
      kubectl --namespace "$namespace" logs --tail=20 "job/$1" >&2
      return 2
    fi
  done
}

# Tokenizing takes one pod and can take hours: no device waits for it.
kubectl apply --filename="$bundle/k8s-prepare.yaml"
ended "$job-prepare"
[[ ${3:-} != prepare ]] || exit 0
kubectl apply --filename="$bundle/k8s.yaml"
printf '%s\n' "$job" "$namespace" trainjob >"$run/kubernetes-job"
echo "submitted: trainjob $namespace/$job; follow with: kubectl --namespace $namespace logs --follow --prefix" \
  "--max-log-requests=2 --selector=trainwright/run=$job"

#!/usr/bin/env bash
# first_gpu.sh [FOLDER]: the first minutes on a real GPU, one device. Run again, it measures only what FOLDER lacks.
#
#   FOLDER/probes.txt        what preflight finds: driver, devices, power limits, disk
#   FOLDER/runs.json         a row a model: tokens/s, MFU, memory, power, as `trainwright backtest` and `calibrate` read it
#   FOLDER/backtest.txt      the estimate beside each row
#   FOLDER/calibration.yaml  what a spec extends to be estimated by these rows
#
# MODELS, LENGTH, SEQUENCES, STEPS, GPU (a name of `trainwright presets`) and PYTHON (with torch for CUDA) may be set.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-first-gpu}
python=${PYTHON:-.venv/bin/python}
trainwright=$(dirname "$python")/trainwright
mkdir -p "$out"

gpu=${GPU:-$("$python" -c '
import torch
from trainwright.compiler.backtest.published_run import PublishedRun
from trainwright.compiler.backtest.run_case import device
found = torch.cuda.get_device_properties(0)
name, gib = found.name.removeprefix("NVIDIA "), round(found.total_memory / 2**30)
print(device(PublishedRun(id="here", gpu=name, gpu_mem_gb=gib)).name)')}
cluster="{gpu: $gpu, gpus: 1, gpus_per_node: 1}"
"$trainwright" preflight examples/tiny-cpu.yaml --set "cluster=$cluster" --run "$out/preflight" 2>&1 | tee "$out/probes.txt" || true

for model in ${MODELS:-ladder-125m ladder-340m tinyllama-1.1b llama2-7b}; do
  timeout "${SECONDS_EACH:-180}" "$python" benchmarks/sizes.py "$model" --cluster "$cluster" --length "${LENGTH:-2048}" \
    --sequences "${SEQUENCES:-8}" --steps "${STEPS:-20}" --set training.precision=bf16 --rows "$out/runs.json" ||
    echo "$model was not measured" >&2
done
"$trainwright" backtest "$out/runs.json" | tee "$out/backtest.txt"
"$trainwright" calibrate "$out/runs.json" --out "$out/calibration.yaml" || echo 'no row to calibrate with' >&2

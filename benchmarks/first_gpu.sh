#!/usr/bin/env bash
# first_gpu.sh [FOLDER]: the first twelve minutes on a real GPU, one device. Run again, it does only what FOLDER lacks.
#
#   FOLDER/first-gpu.json    all of it in one file, whose rows `trainwright backtest` and `calibrate` read
#   FOLDER/probes.txt        what preflight finds: driver, devices, power limits, disk
#   FOLDER/tests.xml         the tests marked `gpu`: a GPU's numbers, the same bits twice, a run that stops and resumes
#   FOLDER/runs.json         a row a model: tokens/s, memory, power
#   FOLDER/backtest.json     the estimate beside each row
#   FOLDER/calibration.yaml  what a spec extends to be estimated by these rows
#
# MODELS, LENGTH, SEQUENCES, STEPS, SETTINGS (KEY=VALUE... of the spec), LIMIT and SECONDS_EACH (of all, of a model), GPU
# (a name of `trainwright presets`) and PYTHON (with torch for CUDA) may be set. Ends with 75 where something was not
# measured: run it again.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-first-gpu}
python=${PYTHON:-.venv/bin/python}
trainwright=$(dirname "$python")/trainwright
deadline=$((SECONDS + ${LIMIT:-720}))
mkdir -p "$out"

# within SECONDS COMMAND...: runs it that long at most, and never past the deadline.
within() {
  local each=$1 left=$((deadline - SECONDS))
  shift
  if ((left < 1)); then return 124; fi
  timeout --kill-after=10 "$((left < each ? left : each))" "$@"
}

gpu=${GPU:-$("$python" -c 'from trainwright.tests.gpu.conftest import preset_name; print(preset_name())')}
sets=()
for each in "cluster={gpu: $gpu, gpus: 1, gpus_per_node: 1}" training.precision=bf16 ${SETTINGS:-}; do
  sets+=(--set "$each")
done

if [ ! -e "$out/probes.txt" ]; then
  code=0 probes=$(mktemp)
  within 120 "$trainwright" preflight examples/tiny-cpu.yaml "${sets[@]}" --run "$out/preflight" \
    >"$probes" 2>&1 || code=$?
  cat "$probes"
  if ((code == 124)); then rm "$probes"; else mv "$probes" "$out/probes.txt"; fi
fi
if [ ! -e "$out/tests.xml" ]; then
  within 240 "$python" -m pytest -q -n 0 -p no:cacheprovider tests/gpu --junitxml="$out/tests.xml" || true
fi
missing=0
for model in ${MODELS:-ladder-125m ladder-340m tinyllama-1.1b llama2-7b}; do
  more=(--steps "${STEPS:-20}")
  if [ "$model" = llama2-7b ]; then more=(--steps "${STEPS:-8}" --set 'parallel={zero: 2, offload: optimizer}'); fi
  within "${SECONDS_EACH:-180}" "$python" benchmarks/sizes.py "$model" "${sets[@]}" "${more[@]}" \
    --length "${LENGTH:-2048}" --sequences "${SEQUENCES:-8}" --rows "$out/runs.json" ||
    { echo "$model was not measured" >&2; missing=75; }
done
[ -e "$out/runs.json" ] || exit "$missing"
"$trainwright" backtest "$out/runs.json" --format json >"$out/backtest.json"
"$python" - "$out" "$gpu" <<'END'
import json, sys, time
from pathlib import Path
from xml.etree import ElementTree
import torch

out, gpu = Path(sys.argv[1]), sys.argv[2]
tests = ElementTree.parse(out / "tests.xml").iter("testcase") if (out / "tests.xml").exists() else ()
said = {t.get("name"): "; ".join(f"{c.tag}: {c.get('message')}" for c in t if c.get("message")) or "passed" for t in tests}
about = {"date": time.strftime("%Y-%m-%d"), "gpu": gpu, "torch": torch.__version__, "tests": said}
about["probes"] = (out / "probes.txt").read_text().splitlines() if (out / "probes.txt").exists() else []
about["estimates"] = json.loads((out / "backtest.json").read_text())
runs = json.loads((out / "runs.json").read_text())
(out / "first-gpu.json").write_text(json.dumps({"about": about, "runs": runs}, indent=1))
END
"$trainwright" backtest "$out/first-gpu.json"
"$trainwright" calibrate "$out/first-gpu.json" --out "$out/calibration.yaml" || echo 'no row to calibrate with' >&2
exit "$missing"

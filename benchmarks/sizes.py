"""Speed by size of model, beside the estimate: `python benchmarks/sizes.py MODEL... [--cluster C] [--set KEY=VALUE]`.

Each model is launched as a user would, for some steps, and its event log read: tokens a second, MFU, peak memory and
power, each a median of the later steps, and the step time that `estimate` gave. On one GPU, with PyTorch's compiler:

    python benchmarks/sizes.py ladder-125m ladder-340m llama2-7b --length 2048 --sequences 8 \
        --cluster '{gpu: H200, gpus: 1, gpus_per_node: 1}' --set training.precision=bf16 --set training.compile=true

`--rows FILE` also keeps each model as a row that `trainwright backtest` and `calibrate` read, and a model that has its
row there is not measured again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from trainwright.compiler.load import load
from trainwright.spec.events import StepEvent, read_events
from trainwright.spec.plan import read_plan
from trainwright.spec.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
TRAINWRIGHT = Path(sys.executable).with_name("trainwright")
SPEC = ROOT / "examples" / "tiny-cpu.yaml"
WARM = 5  # first steps, which allocate, tune and compile


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="Presets, as `trainwright presets` lists them.")
    parser.add_argument("--cluster", default="local-cpu", help="A preset or a mapping.")
    parser.add_argument("--length", type=int, default=256, help="Tokens of a sequence.")
    parser.add_argument("--sequences", type=int, default=16, help="Sequences of a step.")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rows", type=Path, help="A JSON file of rows, to be continued.")
    parser.add_argument("--set", action="append", default=[], help="Override a value of the spec.")
    return parser.parse_args()


def overrides(chosen: argparse.Namespace, model: str) -> list[str]:
    """What makes the example a benchmark of this model."""
    first = [f"model={model}", f"cluster={chosen.cluster}", f"name={model}"]
    vocabulary = load(SPEC, [*first, *chosen.set]).spec.model.vocab_size
    return [
        *first,
        f"tokenizer.vocab_size={vocabulary}",
        f"training.sequence_length={chosen.length}",
        f"training.global_batch={chosen.sequences} sequences",
        f"data.tokens={chosen.steps * chosen.sequences * chosen.length} tokens",
        "training.optimizer.warmup=1 steps",
        f"training.validation.every={chosen.steps} steps",
        f"training.checkpoint.every={chosen.steps} steps",
        *chosen.set,
    ]


def trainwright(*words: object) -> str:
    """The standard output of a command, which must succeed."""
    done = subprocess.run([str(w) for w in (TRAINWRIGHT, *words)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"trainwright {words[0]} ended with {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def measured(run: RunFolder) -> dict[str, float | None]:
    """The usual step of a run."""
    steps = [event for event in read_events(run.events) if isinstance(event, StepEvent)][WARM:]

    def usual(key: str) -> float | None:
        values = [value for step in steps if (value := getattr(step, key)) is not None]
        return median(values) if values else None

    return {key: usual(key) for key in ("seconds", "tokens_per_second", "mfu", "memory_bytes", "power_watts")}


def row(model: str, bundle: Path, found: dict[str, float | None]) -> dict[str, object]:
    """The run as a published one is described; what was not measured is left out."""
    plan = read_plan(bundle)
    shape, layout, training, device = plan.model.shape, plan.layout, plan.training, plan.device
    speed, held = found["tokens_per_second"], found["memory_bytes"]
    described: dict[str, object] = {
        "id": model,
        "kind": "benchmark",
        "framework": "Trainwright, torch.compile" if training.compile else "Trainwright",
        "layers": shape.layers,
        "hidden": shape.hidden_size,
        "ffn": shape.ffn_size,
        "mlp_gated": True,
        "heads": shape.heads,
        "kv_heads": shape.kv_heads,
        "vocab": shape.vocab_size,
        "seq_len": training.sequence_length,
        "gbs_seqs": layout.global_batch,
        "micro_batch": layout.micro_batch,
        "precision": training.precision,
        "flash_attn": True,
        "act_ckpt": layout.activation_checkpointing,
        "zero_stage": layout.zero,
        "gpu": device.name,
        "gpus": device.count,
        "gpus_per_node": device.per_node,
        "tokens_per_s_per_gpu": speed and round(speed / device.count, 1),
        "mem_per_gpu_gib": held and round(held / 2**30, 3),
        "mem_note": "allocated",
        "power_per_gpu_w": found["power_watts"] and round(found["power_watts"]),
    }
    return {key: value for key, value in described.items() if value is not None}


def read_rows(path: Path | None) -> list[dict[str, object]]:
    """The rows of an earlier call."""
    return json.loads(path.read_text(encoding="utf-8")) if path and path.exists() else []


def shown(value: float | None, scale: float = 1.0, form: str = ",.0f") -> str:
    """A number, or that it is not known."""
    return "unknown" if value is None else format(value * scale, form)


def measure(chosen: argparse.Namespace, model: str) -> dict[str, object]:
    """Run one model, print its line, and describe it as a row."""
    sets = [word for override in overrides(chosen, model) for word in ("--set", override)]
    (estimate,) = json.loads(trainwright("estimate", SPEC, "--format", "json", *sets))
    with tempfile.TemporaryDirectory() as folder:
        bundle, run = Path(folder) / "bundle", RunFolder(Path(folder) / "run")
        trainwright("launch", SPEC, "--out", bundle, "--run", run.path, *sets)
        found = measured(run)
        described = row(model, bundle, found)
    print(
        f"{model:14} {shown(found['tokens_per_second'])} tokens/s, MFU {shown(found['mfu'], form='.1%')}, "
        f"{shown(found['memory_bytes'], 2**-30, '.2f')} GiB, {shown(found['power_watts'], form='.0f')} W; "
        f"step {shown(found['seconds'], form='.4f')} s, estimated {estimate['step_seconds']['value']:.4f} s",
        flush=True,
    )
    return described


def main() -> None:
    """Run and print one line a model."""
    chosen = options()
    rows = read_rows(chosen.rows)
    for model in chosen.models:
        if any(known["id"] == model for known in rows):
            continue
        rows.append(measure(chosen, model))
        if chosen.rows:
            chosen.rows.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

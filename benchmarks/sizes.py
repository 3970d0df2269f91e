"""Speed by size of model, beside the estimate: `python benchmarks/sizes.py MODEL... [--cluster C] [--set KEY=VALUE]`.

Each model is launched as a user would, for some steps, and its event log read: tokens a second, MFU, peak memory and
power, each a median of the later steps, and the step time that `estimate` gave. On one GPU, with PyTorch's compiler:

    python benchmarks/sizes.py ladder-125m ladder-340m llama2-7b --length 2048 --sequences 8 \
        --cluster '{gpu: H200, gpus: 1, gpus_per_node: 1}' --set training.precision=bf16 --set training.compile=true
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from trainwright.compiler.load import load
from trainwright.spec.run_folder import RunFolder, read_events

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
    steps = [event for event in read_events(run.events) if event["kind"] == "step"][WARM:]

    def usual(key: str) -> float | None:
        values = [step[key] for step in steps if step[key] is not None]
        return median(values) if values else None

    return {key: usual(key) for key in ("seconds", "tokens_per_second", "mfu", "memory_bytes", "power_watts")}


def shown(value: float | None, scale: float = 1.0, form: str = ",.0f") -> str:
    """A number, or that it is not known."""
    return "unknown" if value is None else format(value * scale, form)


def main() -> None:
    """Run and print one line a model."""
    chosen = options()
    for model in chosen.models:
        sets = [word for override in overrides(chosen, model) for word in ("--set", override)]
        (estimate,) = json.loads(trainwright("estimate", SPEC, "--format", "json", *sets))
        with tempfile.TemporaryDirectory() as folder:
            run = RunFolder(Path(folder) / "run")
            trainwright("launch", SPEC, "--out", f"{folder}/bundle", "--run", run.path, *sets)
            found = measured(run)
        step, planned = found["seconds"], estimate["step_seconds"]["value"]
        print(
            f"{model:14} {shown(found['tokens_per_second'])} tokens/s, MFU {shown(found['mfu'], form='.1%')}, "
            f"{shown(found['memory_bytes'], 2**-30, '.2f')} GiB, {shown(found['power_watts'], form='.0f')} W; "
            f"step {shown(step, form='.4f')} s, estimated {planned:.4f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()

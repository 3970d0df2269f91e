"""Training speed beside peers: `python benchmarks/throughput.py [--spec S] [--steps N] [--rounds R] [--peers FOLDER]`.

The same Llama, samples, batch, fp32 and AdamW settings, one process, as many threads as asked for. The contestants run
in turn, several rounds, and each counts with the median step of its fastest round: other load on the machine then hurts
nobody in particular. Wall-clock and processor seconds are both shown; on a busy machine trust the second.

Ours runs in the environment that the bundle's env.sh sets, the peers in that of the shell. To see what our allocator
settings give a peer: `GLIBC_TUNABLES=... python benchmarks/throughput.py`, with the value that env.sh has.

Needs the `bench` extra; litgpt, whose pins fight with ours, goes to a folder of its own:
    pip install --no-deps --target FOLDER litgpt lightning lightning-utilities torchmetrics jsonargparse \
        typeshed_client docstring_parser pytorch-lightning
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PEERS = ("ours", "transformers_trainer", "litgpt_fabric")
WARM = 3  # first steps of a process, which allocate and tune
ALONE = (
    "cluster.gpus=1",
    "cluster.gpus_per_node=1",
    "parallel.data=1",
    "parallel.zero=1",
    "training.validation.every=100000 steps",
    "training.checkpoint.every=100000 steps",
)


def common(description: str | None, steps: int) -> argparse.ArgumentParser:
    """The options of every benchmark of training; `steps` is the default of how many."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, default=ROOT / "examples" / "tiny-cpu.yaml")
    parser.add_argument("--set", action="append", default=[], help="Override a value of the spec.")
    parser.add_argument("--sequences", type=int, default=16, help="Batch of one step; must be the spec's.")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--threads", type=int, default=1)
    return parser


def options() -> argparse.Namespace:
    """The command line."""
    parser = common(__doc__, steps=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", default="", help="Folder that litgpt was installed to.")
    return parser.parse_args()


def run(command: list[object], environment: dict[str, str]) -> str:
    """The standard output of a command, which must succeed."""
    done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr[-3000:]}")
    return done.stdout


def prepared(chosen: argparse.Namespace, folder: Path, environment: dict[str, str]) -> tuple[Path, Path]:
    """A bundle for one process, and its run folder with tokenizer and shards."""
    bundle, run_folder = folder / "bundle", folder / "run"
    sets = [
        part
        for override in (*ALONE, f"parallel.micro_batch={chosen.sequences}", *chosen.set)
        for part in ("--set", override)
    ]
    run([Path(sys.executable).with_name("trainwright"), "compile", chosen.spec, "--out", bundle, *sets], environment)
    where = ["--bundle", bundle, "--run", run_folder, "--root", chosen.spec.parent]
    run([sys.executable, "-m", "trainwright.runtime.prepare", *where], environment)
    return bundle, run_folder


def in_bundle(bundle: Path, command: list[object]) -> list[object]:
    """The command in the environment of a bundle."""
    return ["bash", "-c", 'source "$1/env.sh" && exec "${@:2}"', "bash", bundle, *command]


def main() -> None:
    """Run the rounds and print the table."""
    chosen = options()
    path = os.pathsep.join([str(ROOT / "benchmarks" / "peers"), chosen.peers])
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": str(chosen.threads), "DS_ACCELERATOR": "cpu"}
    best: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        bundle, run_folder = prepared(chosen, Path(folder), environment)
        tokens = json.loads((bundle / "plan.json").read_text())["schedule"]["tokens_per_step"]
        for turn in range(chosen.rounds):
            for name in PEERS:
                script = ROOT / "benchmarks" / "peers" / f"{name}.py"
                command = [sys.executable, script, bundle, run_folder, chosen.steps]
                lines = run(in_bundle(bundle, command) if name == "ours" else command, environment).splitlines()
                found = json.loads(lines[-1])
                for clock in ("wall", "cpu"):
                    usual = median(found[clock][WARM:])
                    best.setdefault(name, {})[clock] = min(usual, best.get(name, {}).get(clock, usual))
                print(
                    f"round {turn + 1} {name}: loss {found['losses'][0]:.3f} -> {found['losses'][-1]:.3f}", flush=True
                )
    for name, found in best.items():
        ratios = ", ".join(f"{clock} {found[clock] / best['ours'][clock]:.3f} x ours" for clock in found)
        speed = f"{tokens / found['wall']:,.0f} tokens/s"
        print(f"{name:22} {found['wall']:.4f} s/step, {found['cpu']:.4f} cpu s, {speed}; {ratios}")


if __name__ == "__main__":
    main()

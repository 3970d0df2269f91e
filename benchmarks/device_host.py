"""What the host takes for a layer: `python benchmarks/device_host.py`, on a pretend device and this machine's CPU.

One rank takes real steps of the real trainer (tests/fakes/cuda, `make device-env`) with two depths of one model; the
difference of the quickest steps, in seconds of CPU over all threads, is what the layers between them take. Python,
torch's dispatcher, autograd and DeepSpeed are the real ones; launches cost next to nothing here, where a driver adds
its own microseconds a kernel, and compiled functions have no code. So this is a floor, in microseconds of this CPU.
"""

import json
import sys
import tempfile
from pathlib import Path

from device_memory import ENVIRONMENT_OF_A_RANK, SPEC, Point

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
from trainwright.tests.fakes.cuda.build import build
from trainwright.tests.fakes.cuda.pretend import ENVIRONMENT, Machine, Server
from trainwright.tests.fakes.nvml import fake

MODEL, SHALLOW, DEEP = "llama2-7b", 8, 24
STEPS = 12
MICRO_BATCHES = 2
POINTS = [
    Point(MODEL, 1, data=8),
    Point(MODEL, 2, data=8),
    Point(MODEL, 3, data=8),
    Point(MODEL, 1, data=2, tensor=4),
    Point(MODEL, 3, data=2, sequence=4),
    Point(MODEL, 3, data=8, activation_checkpointing="full"),
]


def step_nanoseconds(point: Point, layers: int, server: Server, folder: Path) -> int:
    """The host's time in the quickest step of a model of so many layers."""
    depth = f"model={{preset: {MODEL}, layers: {layers}}}"
    settings = [*point.settings(), depth, "training.compile=false", "launch={target: local}"]
    settings += ["cluster={gpu: A100-SXM4-80GB, gpus: 8, gpus_per_node: 8}"]
    files = compile_bundle(load(SPEC, settings))
    folder.mkdir(parents=True)
    for name in ("plan.json", "ds_config.json"):
        (folder / name).write_text(files[name], encoding="utf-8")
    silent = {**ENVIRONMENT_OF_A_RANK, "PRETEND_LOG": "", "FAKE_NVML": str(server.library / "nvml.state")}
    answer = folder / "answer.json"
    arguments = [str(folder), "0", str(answer), str(STEPS)]
    machine = Machine(server, environment=silent)
    done = machine.start("trainwright.tests.fakes.cuda.alone", arguments, 1, folder / "log")
    if done.codes != [0]:
        sys.exit(done.outputs[0][-2000:])
    return json.loads(answer.read_text(encoding="utf-8"))["host_ns"]


def main() -> None:
    """Print the table, in microseconds a layer and micro batch: both passes and the update's share."""
    print("| layout, 8 devices | host, us a layer |")
    print("| --- | ---: |")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(ENVIRONMENT, folder / "library")
        fake.build(folder / "library")
        fake.FakeNvml(folder / "library" / "nvml.state", devices=1)
        server = Server(folder / "library")
        for point in POINTS:
            taken = [step_nanoseconds(point, n, server, folder / f"{point.name}-{n}") for n in (SHALLOW, DEEP)]
            each = (taken[1] - taken[0]) / (DEEP - SHALLOW) / MICRO_BATCHES / 1000
            print(f"| {point.name} | {each:,.0f} |", flush=True)
        server.close()


if __name__ == "__main__":
    main()

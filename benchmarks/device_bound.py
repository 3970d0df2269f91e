"""A lower bound of a step beside its estimate, by counting: `python benchmarks/device_bound.py`. Not a measurement.

One rank takes a real step on a pretend device (tests/fakes/cuda, `make device-env`), and its log is counted: each
matrix product takes at least its FLOPs at the device's peak or its operands at the device's bandwidth, each attention
kernel its causal FLOPs. Everything else (communication, norms, SwiGLU, the optimizer, launches) counts as nothing: no
step can be faster. The last columns count what the host does: kernels of both passes a layer and micro batch, and
waits for the device in a step.
"""

import json
import sys
import tempfile
from pathlib import Path

from device_memory import ENVIRONMENT_OF_A_RANK, SPEC, Point

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
from trainwright.spec.hardware import Gpu, gpu
from trainwright.spec.plan import Plan, read_plan
from trainwright.tests.fakes.cuda.build import build
from trainwright.tests.fakes.cuda.pretend import ENVIRONMENT, Machine, Server
from trainwright.tests.fakes.cuda.trace import Trace
from trainwright.tests.fakes.nvml import fake

DEVICES = {"A100-SXM4-80GB": "80", "H100-SXM5-80GB": "90"}
POINTS = [
    Point("ladder-340m", 1, 8, 2048, data=8),
    Point("tinyllama-1.1b", 2, 4, 2048, data=8),
    Point("llama2-7b", 3, 1, data=8),
    Point("llama2-7b", 3, 2, data=8, activation_checkpointing="selective"),
    Point("llama2-7b", 1, 2, data=2, tensor=4, activation_checkpointing="full"),
    Point("llama2-13b", 3, 1, data=8, activation_checkpointing="full"),
]
BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
BACKWARD = 2.5  # FLOPs of flash attention's backward pass, by its forward pass's (arXiv 2307.08691, section 4.1)


def product_seconds(event: dict[str, object], chip: Gpu, precision: str) -> float:
    """The longer of arithmetic and operands."""
    m, n, k, batch = (int(str(event[key])) for key in ("m", "n", "k", "batch"))
    a, b, c = (BYTES[kind] for kind in event["types"])
    flops = 2 * m * n * k * batch / (chip.peak(precision) or float("inf"))
    return max(flops, batch * (a * m * k + b * k * n + c * m * n) / chip.bandwidth)


def attention_seconds(step: Trace, plan: Plan, chip: Gpu) -> float:
    """Causal attention: half of 4 s^2 d FLOPs a sequence forward."""
    forward, backward = (len(step.kernels(name)) for name in ("flash_fwd_kernel", "flash_bwd_dq_dk_dv"))
    width = plan.model.hidden_size / plan.layout.tensor
    flops = 2 * plan.training.sequence_length**2 * width * plan.layout.micro_batch
    return (forward + BACKWARD * backward) * flops / (chip.peak(plan.training.precision) or float("inf"))


def taken(point: Point, device: str, server: Server, folder: Path) -> tuple[Trace, Plan, float]:
    """A step of the first rank, its plan, and the planned seconds."""
    settings = [*point.settings(), f"cluster={{gpu: {device}, gpus: 8, gpus_per_node: 8}}", "launch={target: local}"]
    settings += ["training.compile=false"]  # the pretend device has no compiled kernels to count
    files = compile_bundle(load(SPEC, settings))
    folder.mkdir(parents=True)
    for name in ("plan.json", "ds_config.json"):
        (folder / name).write_text(files[name], encoding="utf-8")
    variables = {**ENVIRONMENT_OF_A_RANK, "FAKE_NVML": str(server.library / "nvml.state")}
    machine = Machine(server, capability=DEVICES[device], environment=variables)
    module, arguments = "trainwright.tests.fakes.cuda.alone", [str(folder), "0", str(folder / "answer.json")]
    done = machine.start(module, arguments, 1, folder / "log")
    if done.codes != [0]:
        sys.exit(done.outputs[0][-2000:])
    (step,) = done.traces[0].steps()
    return step, read_plan(folder), json.loads(files["estimate.json"])["step_seconds"]["value"]


def bound(name: str, device: str, step: Trace, plan: Plan, planned: float) -> str:
    """A row of the table."""
    chip = gpu(device)
    products = sum(product_seconds(event, chip, "bf16") for event in step.of("product"))
    attention = attention_seconds(step, plan, chip)
    whole = products + attention
    kernels = sum(len(step.during(phase).of("kernel")) for phase in ("forward", "backward"))
    each = kernels / (plan.layout.accumulation * plan.model.layers)
    return (
        f"| {name} | {chip.family} | {products * 1e3:,.0f} | {attention * 1e3:,.0f} "
        f"| {whole * 1e3:,.0f} | {planned * 1e3:,.0f} | {planned / whole:.2f} "
        f"| {each:.0f} | {len(step.of('sync'))} |"
    )


def main() -> None:
    """Print the table, in milliseconds a step."""
    heads = ("products", "attention", "bound", "estimate", "estimate / bound", "kernels a layer", "waits")
    print("| layout, 8 devices | device |", " | ".join(heads), "|")
    print("| --- | --- |", " | ".join(["---:"] * len(heads)), "|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build(ENVIRONMENT, folder / "library")
        fake.build(folder / "library")
        fake.FakeNvml(folder / "library" / "nvml.state", devices=1)
        server = Server(folder / "library")
        for device in DEVICES:
            for point in POINTS:
                place = folder / f"{device}-{point.name}"
                step, plan, planned = taken(point, device, server, place)
                print(bound(point.name, device, step, plan, planned), flush=True)
        server.close()


if __name__ == "__main__":
    main()

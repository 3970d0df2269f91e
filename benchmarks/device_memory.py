"""Estimated memory against the allocator's peak: `python benchmarks/device_memory.py [NAME...] [--json FILE]`.

For each layout of a grid, one rank of a large group takes real steps of the real trainer on a pretend device
(tests/fakes/cuda, `make device-env`), where torch's caching allocator is the real one. Printed are the peak of tensors
beside the estimate without the context and fragmentation, and what the allocator took beside the whole estimate.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import median, quantiles

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
from trainwright.spec.problem import InputError
from trainwright.tests.fakes.cuda.build import build
from trainwright.tests.fakes.cuda.pretend import ENVIRONMENT, Machine, Server
from trainwright.tests.fakes.nvml import fake

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "examples" / "llama2-7b.yaml"
GIB = 2**30
OUTSIDE = {"context", "fragmentation"}  # parts of the estimate that are not tensors
ENVIRONMENT_OF_A_RANK = {
    "PRETEND_UNTOUCHED": "1",
    "PRETEND_MEMORY_GIB": "4000",
    "PYTORCH_NO_CUDA_MEMORY_CACHING": "",
    "PYTORCH_ALLOC_CONF": "expandable_segments:True",  # as the bundle's env.sh
}


@dataclass(frozen=True)
class Point:
    """A layout of the grid."""

    model: str
    zero: int = 1
    micro_batch: int = 1
    sequence_length: int = 4096
    data: int = 16
    tensor: int = 1
    sequence: int = 1
    pipeline: int = 1
    activation_checkpointing: str = "none"
    documents: str = "across"
    offload: str = "none"
    micro_batches: int = 2  # for each pipeline stage
    deterministic: bool = False

    @property
    def name(self) -> str:
        """What differs from the defaults, in a word."""
        short = {"micro_batch": "mb", "sequence_length": "s", "tensor": "tp", "sequence": "sp", "pipeline": "pp"}
        values = asdict(self)
        parts = [f"{word}{values[field]}" for field, word in short.items() if values[field] != 1]
        parts += [
            str(values[f])
            for f in ("activation_checkpointing", "documents", "offload")
            if values[f] not in {"none", "across"}
        ]
        parts += [f"acc{self.micro_batches}"] if self.micro_batches != Point.micro_batches else []
        parts += ["deterministic"] if self.deterministic else []
        return "-".join([self.model, f"z{self.zero}", *parts])

    def settings(self) -> Iterator[str]:
        """The example's keys that make it this point."""
        micro_batches = self.micro_batches * self.pipeline
        devices = self.data * self.tensor * self.sequence * self.pipeline
        vocabulary = load(SPEC, [f"model={self.model}"]).spec.model.vocab_size
        yield from (f"name={self.name.replace('.', '-')}", f"model={self.model}", "published=null")
        yield f"tokenizer.vocab_size={vocabulary}"
        yield f"training.sequence_length={self.sequence_length}"
        yield f"training.global_batch={self.data * self.micro_batch * micro_batches} sequences"
        yield f"training.deterministic={str(self.deterministic).lower()}"
        yield f"data.document_attention={self.documents}"
        yield f"cluster={{preset: meta-rsc, gpus: {devices}}}"
        for key in ("zero", "micro_batch", "data", "tensor", "sequence", "pipeline", "offload"):
            yield f"parallel.{key}={getattr(self, key)}"
        yield f"parallel.activation_checkpointing={self.activation_checkpointing}"


def grid() -> list[Point]:
    """125M to 405B, every kind of layout."""
    small = [Point("ladder-340m", zero, micro, 2048) for zero, micro in product((1, 2, 3), (2, 8))]
    small += [Point("ladder-340m", 1, 8, 2048, activation_checkpointing=kept) for kept in ("selective", "full")]
    small += [Point("ladder-340m", 1, micro, 2048, micro_batches=1) for micro in (2, 8)]
    small += [Point("ladder-125m", 1, 8, 2048), Point("ladder-340m", 1, 8, 2048, documents="within")]
    middle = [Point("tinyllama-1.1b", zero, 4, 2048) for zero in (1, 2, 3)]
    middle += [Point("tinyllama-1.1b", 1, 4, 2048, tensor=t, pipeline=p) for t, p in ((2, 1), (4, 1), (1, 2), (2, 2))]
    middle += [Point("tinyllama-1.1b", 1, 2, 4096, pipeline=2), Point("tinyllama-1.1b", 3, 2, 8192, sequence=4)]
    middle += [Point("tinyllama-1.1b", 3, 2, documents="within"), Point("tinyllama-1.1b", 3, 2, offload="optimizer")]
    large = [
        Point("llama2-7b", 3, micro, activation_checkpointing=kept)
        for micro, kept in ((1, "none"), (2, "selective"), (4, "full"))
    ]
    large += [Point("llama2-7b", 1, 1, tensor=t, pipeline=p) for t, p in ((4, 1), (8, 1), (2, 2), (2, 4))]
    large += [Point("llama2-7b", 3, 1, 16384, sequence=4), Point("llama2-7b", 2, 1, activation_checkpointing="full")]
    huge = [
        Point("llama2-13b", 3, 2, activation_checkpointing="full"),
        Point("llama2-13b", 1, 1, tensor=8, activation_checkpointing="selective"),
    ]
    huge += [
        Point("llama2-34b", 3, 1, data=64, activation_checkpointing="full"),
        Point("llama2-70b", 3, 1, data=256, activation_checkpointing="full"),
    ]
    huge += [Point("llama2-70b", 1, 1, data=32, tensor=8, pipeline=4, activation_checkpointing="full")]
    huge += [Point("llama3.1-405b", 1, 1, 8192, data=16, tensor=8, pipeline=14, activation_checkpointing="full")]
    return [*small, *middle, *large, *huge, *_mixed()]


def _mixed() -> list[Point]:
    """Layouts that were not looked at when the memory model was made."""
    return [
        Point("tinyllama-1.1b", 3, 1, 2048, activation_checkpointing="full"),
        Point("tinyllama-1.1b", 2, 4, 2048, micro_batches=1),
        Point("tinyllama-1.1b", 3, 4, 2048, micro_batches=1),
        Point("tinyllama-1.1b", 1, 2, 4096, sequence=2),
        Point("tinyllama-1.1b", 1, 2, offload="optimizer"),
        Point("llama2-7b", 1, 1, pipeline=4, activation_checkpointing="full"),
        Point("llama2-7b", 1, 1, tensor=8, deterministic=True),
        Point("llama2-13b", 2, 1, tensor=2, activation_checkpointing="selective"),
        Point("llama2-34b", 1, 1, tensor=8),
        Point("llama2-70b", 3, 1, data=32, tensor=8, activation_checkpointing="full"),
        Point("llama2-70b", 3, 4, data=256, activation_checkpointing="full"),
    ]


@dataclass(frozen=True)
class Row:
    """One comparison, in bytes."""

    name: str
    peak: int
    estimate: float
    reserved: int
    whole: float
    parts: dict[str, float]

    @property
    def error(self) -> float:
        """Of the estimate of tensors."""
        return self.estimate / self.peak - 1


def compare(point: Point, server: Server, folder: Path) -> Row:
    """Compile a point, let its first rank (and its last stage's) take steps, and read the estimate beside them."""
    files = compile_bundle(load(SPEC, list(point.settings())))
    bundle = folder / "bundle"
    bundle.mkdir(parents=True)
    for name in ("plan.json", "ds_config.json"):
        (bundle / name).write_text(files[name], encoding="utf-8")
    peaks = []
    stage_ranks = point.data * point.tensor * point.sequence
    for stage in sorted({0, point.pipeline - 1}):
        answer = folder / f"answer-{stage}.json"
        variables = {**ENVIRONMENT_OF_A_RANK, "PRETEND_LOG": "", "FAKE_NVML": str(server.library / "nvml.state")}
        machine = Machine(server, environment=variables)
        done = machine.start(
            "trainwright.tests.fakes.cuda.alone",
            [str(bundle), str(stage * stage_ranks), str(answer)],
            1,
            folder / f"log-{stage}",
        )
        if done.codes != [0]:
            raise RuntimeError(done.outputs[0][-2000:])
        peaks.append(json.loads(answer.read_text(encoding="utf-8")))
    peak, reserved = (max(each[key] for each in peaks) for key in ("tensors", "reserved"))
    parts = {p["name"]: p["value"] for p in json.loads(files["estimate.json"])["memory_parts"]}
    tensors = sum(value for name, value in parts.items() if name not in OUTSIDE)
    return Row(point.name, peak, tensors, reserved, sum(parts.values()), parts)


def rows(names: list[str]) -> Iterator[Row]:
    """The comparisons of the grid's points that are named, or of all."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library"
        build(ENVIRONMENT, library)
        fake.build(library)
        fake.FakeNvml(library / "nvml.state", devices=1)
        server = Server(library)
        for point in grid():
            if names and not any(name in point.name for name in names):
                continue
            try:
                yield compare(point, server, Path(folder) / point.name)
            except (InputError, RuntimeError) as error:
                print(f"{point.name}: {error}", file=sys.stderr)
        server.close()


def main() -> None:
    """Print the table, and how far off the estimates are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="Points whose name contains one of these; none: all.")
    parser.add_argument("--json", type=Path, help="Write the rows there too.")
    chosen = parser.parse_args()
    found: list[Row] = []
    print(f"{'GiB':44} {'peak':>7} {'estimate':>8} {'':>6} {'taken':>7} {'whole':>7}")
    for row in rows(chosen.names):
        found.append(row)
        print(
            f"{row.name:44} {row.peak / GIB:7.2f} {row.estimate / GIB:8.2f} {row.error:+6.1%} "
            f"{row.reserved / GIB:7.2f} {row.whole / GIB:7.2f}",
            flush=True,
        )
    errors = sorted(abs(row.error) for row in found)
    if len(errors) > 1:
        short = [row.name for row in found if row.reserved > row.whole]
        spread, unsafe = quantiles(errors, n=10)[-1], ", ".join(short) or "none"
        print(f"median {median(errors):.1%}, p90 {spread:.1%}, too small: {unsafe}")
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(row) for row in found], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()

"""A small plan for tests of the runtime's data side, with a corpus of its own."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainwright.runtime.checkpoint import store
from trainwright.runtime.prepare.job import Job
from trainwright.spec.layout import Layout
from trainwright.spec.plan import CarbonPlan, Device, Plan, Schedule
from trainwright.spec.quantity import Amount
from trainwright.spec.run_folder import RunFolder
from trainwright.spec.sections import CorpusSource, Data, Model, Optimizer, Tokenizer, Training

VOCABULARY = 320
WORDS = ("model", "tensor", "carbon", "watt", "shard", "token", "batch", "layer")


def small_plan(*, vocabulary: int = VOCABULARY, sequence: int = 32, layout: Layout | None = None, **data: Any) -> Plan:
    """A plan whose every part is small; keywords go to its data section."""
    layout = layout or Layout(data=2, micro_batch=2)
    data = {"train": (CorpusSource(path="corpus/*.jsonl"),), "validation": 0.2, "tokens": 10_000} | data
    sequences = layout.global_batch
    return Plan(
        name="small",
        spec_sha256="0" * 64,
        model=Model(layers=2, hidden_size=32, ffn_size=64, heads=4, kv_heads=2, vocab_size=vocabulary),
        tokenizer=Tokenizer(vocab_size=vocabulary),
        data=Data(**data),
        training=Training(
            sequence_length=sequence,
            global_batch=Amount(value=sequences, unit="sequences"),
            precision="fp32",
            optimizer=Optimizer(learning_rate=1e-3),
        ),
        schedule=Schedule(
            steps=4,
            warmup_steps=1,
            sequences_per_step=sequences,
            tokens_per_step=sequences * sequence,
            validate_every=2,
            checkpoint_every=2,
        ),
        layout=layout,
        device=Device(
            kind="cpu",
            name="CPU",
            count=2,
            per_node=2,
            power_cap_watts=None,
            power_cap_mode="assume-set",
            assumed_watts=15.0,
            peak_flops=None,
            interconnect="none",
        ),
        carbon=CarbonPlan(pue=1.0, intensity_kg_per_kwh=0.05, intensity_source="test"),
    )


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """The maker of small plans."""
    return small_plan


def sentence(number: int) -> str:
    """A text of its own for each number."""
    chosen = [WORDS[(number * step + step) % len(WORDS)] for step in range(1, 25)]
    return f"{number}: {' '.join(chosen)}.\n  indented {number**2}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project folder with a corpus of 200 documents in three JSON Lines files."""
    corpus = tmp_path / "project" / "corpus"
    corpus.mkdir(parents=True)
    for part in range(3):
        lines = [json.dumps({"text": sentence(number)}) for number in range(200) if number % 3 == part]
        (corpus / f"part-{part}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return corpus.parent


@pytest.fixture
def make_job(project: Path, tmp_path: Path) -> Callable[..., Job]:
    """The maker of jobs over the project's corpus; each run folder has a name."""

    def make(name: str = "run", workers: int = 1, **options: Any) -> Job:
        return Job(small_plan(**options), RunFolder(tmp_path / name), project, workers)

    return make


def reseal(generation: Path, key: bytes = b"") -> None:
    """Give a generation a manifest that matches what lies in it now, as whoever can write the folder can."""
    (generation / store.MANIFEST).unlink(missing_ok=True)
    files = {str(p.relative_to(generation)): store.hash_file(p) for p in generation.rglob("*") if p.is_file()}
    step, draft = store.step_of(generation), generation.with_name(".draft-hostile")
    generation.rename(draft)
    store.publish(draft, step, files, key)


@pytest.fixture(name="reseal")
def reseal_fixture() -> Callable[..., None]:
    """Seal a generation anew."""
    return reseal

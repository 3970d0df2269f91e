"""2T tokens in 30,000 files: training starts at once, and memory does not grow with the corpus."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from trainwright.runtime.data.shards import file_sha256
from trainwright.spec.dataset_index import Index, Shard, SourcePart

SHARDS, TOKENS = 30_000, 2 * 10**12
READ = """
import resource, sys, time
from pathlib import Path
import numpy as np
from trainwright.runtime.data.dataset import open_dataset
from trainwright.spec.plan import Plan
from trainwright.spec.run_folder import RunFolder
plan = Plan.model_validate_json(Path(sys.argv[1]).read_text())
before = time.process_time()
data = open_dataset(plan, RunFolder(Path(sys.argv[2])), "train")
opened = time.process_time() - before
for start in range(0, 20_000, 500):
    data.samples(np.arange(start, start + 500, dtype=np.uint64))
    if start == 500:
        early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(opened, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early)
"""


def test_two_trillion_tokens_open_in_two_seconds(tmp_path: Path, make_plan) -> None:
    """Processor time until the first sample, and KiB that 20,000 random samples over all files add."""
    run = tmp_path / "run"
    (run / "tokenizer").mkdir(parents=True)
    (run / "tokenizer" / "tokenizer.model").write_bytes(b"model")
    data, each = run / "data", TOKENS // SHARDS
    data.mkdir()
    shards = tuple(Shard(file=f"train-00-{n:05d}-00000.bin", tokens=each, sha256="0" * 64) for n in range(SHARDS))
    for shard in shards:
        with (data / shard.file).open("wb") as file:
            file.truncate(2 * each)
    part = SourcePart(path="corpus", documents=1, bytes=1, tokens=SHARDS * each, shards=shards)
    index = Index(
        dtype="uint16",
        vocab_size=320,
        begin_of_document=1,
        end_of_document=2,
        tokenizer_sha256=file_sha256(run / "tokenizer" / "tokenizer.model"),
        fingerprint="",
        unigram_entropy=1.0,
        train=(part,),
        validation=(part.model_copy(update={"shards": shards[:1], "tokens": each}),),
    )
    (data / "index.json").write_text(index.model_dump_json())
    (tmp_path / "plan.json").write_text(make_plan().model_dump_json())
    words = [sys.executable, "-c", READ, str(tmp_path / "plan.json"), str(run)]
    opened, grown = map(float, subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())
    assert opened < 2
    assert grown < 16 * 1024

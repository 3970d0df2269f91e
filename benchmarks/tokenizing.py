"""Tokenizing beside Hugging Face: `python benchmarks/tokenizing.py [--workers N] [--copies K] [--rounds R]`.

From text files on disk to token ids on disk, on the same cores, with the same BPE model: Trainwright's shards (with
validation split, hashes and index) against `datasets.map` over a fast tokenizer from `tokenizers`, as transformers
users write it. The ids of both are compared with SentencePiece's own. Needs the `bench` extra.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import sentencepiece

from trainwright.runtime.data.tokenizer import Tokenizer, train
from trainwright.runtime.huggingface import layout
from trainwright.runtime.prepare import corpus
from trainwright.runtime.prepare.tokenize import Encoders, SourceWriter
from trainwright.spec.sections import CorpusSource
from trainwright.spec.sections import Tokenizer as Settings

VOCABULARY = 32_000


def ours(model: Path, folder: Path, workers: int) -> float:
    """Seconds to write shards."""
    paths = corpus.source_files(CorpusSource(path="*.txt"), folder)
    target = folder / "shards"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    began = time.perf_counter()
    writer = SourceWriter(target, 0, "*.txt", "uint16")
    with Encoders(model, 1e-9, workers) as encoders:
        blocks = (block for path in paths for block in corpus.read_blocks(path, "text"))
        for encoded in encoders(blocks, lambda _: None):
            writer.write(encoded)
    writer.close()
    return time.perf_counter() - began


def hugging_face(tokenizer: Path, folder: Path, workers: int) -> float:
    """Seconds for `datasets` to load, tokenize and write Arrow files."""
    import datasets

    datasets.disable_progress_bars()
    cache = folder / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    paths = [str(path) for path in sorted(folder.glob("*.txt"))]
    began = time.perf_counter()
    text = datasets.load_dataset("text", data_files=paths, sample_by="document", cache_dir=str(cache), split="train")
    loaded = Ids(tokenizer)
    text.map(loaded, batched=True, num_proc=workers, remove_columns=["text"])
    return time.perf_counter() - began


class Ids:
    """A batch of texts to ids, with a fast tokenizer; made in each process, since threads do not survive a fork."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tokenizer = None

    def __getstate__(self) -> dict:
        return {"path": self.path, "tokenizer": None}

    def __call__(self, batch: dict) -> dict:
        """The ids of each text."""
        import tokenizers

        self.tokenizer = self.tokenizer or tokenizers.Tokenizer.from_file(str(self.path))
        return {"ids": [encoding.ids for encoding in self.tokenizer.encode_batch_fast(batch["text"])]}


def compare(model: Path, tokenizer: Path, texts: list[str]) -> None:
    """Say on how many documents each side has SentencePiece's ids."""
    import tokenizers

    reference = sentencepiece.SentencePieceProcessor(model_file=str(model))
    own, theirs = Tokenizer(model), tokenizers.Tokenizer.from_file(str(tokenizer))
    truth = [reference.encode(text) for text in texts]
    same = sum(own.encode(text).tolist() == ids for text, ids in zip(texts, truth, strict=True))
    alike = sum(theirs.encode(text).ids[1:] == ids for text, ids in zip(texts, truth, strict=True))
    print(f"SentencePiece's ids: ours {same}, tokenizers {alike} of {len(texts)} documents")


def main() -> None:
    """Prepare the corpus and the model, then let both run in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--copies", type=int, default=2, help="Times that the standard library is repeated.")
    chosen = parser.parse_args()
    sources = corpus.source_files(CorpusSource(path="python:stdlib"), Path("/"))
    texts = [text for text in (path.read_text(encoding="utf-8") for path in sources) if layout.SPACE not in text]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(chosen.copies):
            for index, text in enumerate(texts):
                (folder / f"{number}-{index:05d}.txt").write_text(text, encoding="utf-8")
        model, tokenizer = folder / "tokenizer.model", folder / "tokenizer.json"
        model.write_bytes(train(texts, Settings(vocab_size=VOCABULARY)))
        tokenizer.write_bytes(layout.dump(layout.tokenizer_json(model)))
        compare(model, tokenizer, texts[:: max(1, len(texts) // 100)])
        size = sum(path.stat().st_size for path in folder.glob("*.txt")) / 1e6
        spans = [
            (ours(model, folder, chosen.workers), hugging_face(tokenizer, folder, chosen.workers))
            for _ in range(chosen.rounds)
        ]
        own, theirs = np.array(spans).min(axis=0)
    print(f"{size:.1f} MB, {chosen.workers} workers, fastest of {chosen.rounds}")
    print(f"ours       {own:.2f} s, {size / own:.2f} MB/s")
    print(f"datasets   {theirs:.2f} s, {size / theirs:.2f} MB/s; {theirs / own:.2f} x ours")


if __name__ == "__main__":
    main()

"""Tokenizing beside Hugging Face `datasets` and datatrove: the same text, ids and cores, JSON lines to ids on disk.

    python -m venv /tmp/peers && /tmp/peers/bin/pip install datasets tokenizers datatrove[io] orjson
    .venv/bin/python benchmarks/tokenizing.py --peers /tmp/peers/bin/python [--workers N] [--megabytes M] [--rounds R]

Twice: with a SentencePiece model as it is trained here (the others have its export), and with a byte-level BPE as that
of GPT-2 (one tokenizer.json for all three). Ours is the whole preparation: digests of the corpus, held-out documents,
shards with hashes, index. Each side runs in a process of its own, in turn; its clock starts after the imports. Seconds
of processors tell more than those of the clock on a machine with other work. The ids of all documents are compared.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path

VOCABULARY = 16_000
DOCUMENT = 4_000  # characters: about what a page of the web has
SIDES = ("trainwright", "datasets", "datatrove")
FILES = 8
MARKS = ("<unk>", "<s>", "</s>")


def trainwright(folder: Path, tokenizer: Path, workers: int) -> Callable[[], None]:
    """Our preparation of a run that has this tokenizer."""
    from trainwright.runtime.prepare.job import Job
    from trainwright.runtime.prepare.workers import WHOLE_STAGES
    from trainwright.spec.plan import Plan
    from trainwright.spec.run_folder import RunFolder

    plan = json.loads((folder / "plan.json").read_text())
    plan["tokenizer"]["path"] = str(tokenizer)
    job = Job(Plan.model_validate(plan), RunFolder(folder / "out" / "run"), folder, workers)
    job.run.path.mkdir(parents=True)

    def run() -> None:
        for _, make in WHOLE_STAGES:
            make(job, lambda _: None)

    return run


def datasets(folder: Path, tokenizer: Path, workers: int) -> Callable[[], None]:
    """`load_dataset` and `map` over a fast tokenizer, as transformers' users write it."""
    import datasets as library
    from tokenizers import Tokenizer

    library.disable_progress_bars()
    files = sorted(map(str, (folder / "corpus").glob("*.jsonl")))
    fast = Tokenizer.from_file(str(tokenizer))

    def ids(batch: dict) -> dict:
        return {"ids": [encoding.ids for encoding in fast.encode_batch_fast(batch["text"], add_special_tokens=False)]}

    def run() -> None:
        text = library.load_dataset(
            "json", data_files=files, split="train", cache_dir=str(folder / "out"), num_proc=workers
        )
        done = text.map(ids, batched=True, num_proc=workers, remove_columns=["text"])
        (folder / "out" / "files.json").write_text(json.dumps([file["filename"] for file in done.cache_files]))

    return run


def datatrove(folder: Path, tokenizer: Path, workers: int) -> Callable[[], None]:
    """The tokenization step of its pipelines, a task a worker."""
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader
    from datatrove.pipeline.tokens import DocumentTokenizer

    steps = [
        JsonlReader(str(folder / "corpus")),
        DocumentTokenizer(str(folder / "out" / "ids"), str(tokenizer), eos_token="</s>", shuffle_documents=False),  # noqa: S106
    ]
    executor = LocalPipelineExecutor(steps, tasks=workers, workers=workers, logging_dir=str(folder / "out" / "logs"))
    return executor.run


def ids_of(side: str, folder: Path) -> list[bytes]:
    """The ids of each document, sorted, without marks of beginning and end."""
    import numpy as np

    facts = json.loads((folder / "facts.json").read_text())
    marks = list(facts.values())
    if side == "datasets":
        import pyarrow as pa

        files = json.loads((folder / "out" / "files.json").read_text())
        tables = [pa.ipc.open_stream(pa.memory_map(file)).read_all() for file in files]
        found = [
            row for table in tables for chunk in table["ids"].chunks for row in chunk.to_numpy(zero_copy_only=False)
        ]
        return sorted(np.asarray(row, "<u2").tobytes() for row in found)
    pattern = "run/data/*.bin" if side == "trainwright" else "ids/*.ds"
    documents: list[bytes] = []
    for path in sorted((folder / "out").glob(pattern)):
        tokens = np.fromfile(path, "<u2")
        ends = np.flatnonzero(tokens == facts["end"]) + 1
        documents += [part[~np.isin(part, marks)].tobytes() for part in np.split(tokens, ends)[:-1]]
    return sorted(documents)


def measured(side: str, folder: Path, tokenizer: Path, workers: int) -> dict[str, float]:
    """Seconds of the clock and of processors, of this process and its children."""
    run = globals()[side](folder, tokenizer, workers)
    before, began = _processors(), time.perf_counter()
    run()
    clock = time.perf_counter() - began
    forkserver._forkserver._stop()  # noqa: SLF001 - what its processes used is ours only when it has ended
    return {"clock": clock, "cpu": _processors() - before}


def _processors() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def write_corpus(folder: Path, megabytes: float) -> list[str]:
    """Python's standard library in documents of about a page, repeated with a number to the size that is asked for."""
    from trainwright.runtime.huggingface.tokenizer_json import SPACE
    from trainwright.runtime.prepare.files import source_files
    from trainwright.spec.sections import CorpusSource

    sources = source_files(CorpusSource(path="python:stdlib"), Path("/")).files
    pages: list[str] = []
    for text in (path.read_text(encoding="utf-8") for path in sources):
        if not any(mark in text for mark in (SPACE, *MARKS)):  # which the others do not take for text
            pages += re.findall(rf"(?s).{{1,{DOCUMENT}}}(?:\n|\Z)", text)
    corpus = folder / "corpus"
    corpus.mkdir()
    files = [(corpus / f"{number}.jsonl").open("w", encoding="utf-8") for number in range(FILES)]
    size = copy = 0
    while size < megabytes * 1e6:
        for number, page in enumerate(pages):
            size += files[number % FILES].write(json.dumps({"text": f"{copy}: {page}"}, ensure_ascii=False) + "\n")
            if size >= megabytes * 1e6:
                break
        copy += 1
    for file in files:
        file.close()
    return pages


def write_tokenizers(folder: Path, pages: list[str]) -> dict[str, dict[str, Path]]:
    """For each algorithm the tokenizer file of each side."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    from trainwright.runtime.data.tokenizer import train
    from trainwright.runtime.huggingface.model_files import dump
    from trainwright.runtime.huggingface.tokenizer_json import tokenizer_json
    from trainwright.spec.sections import Tokenizer as Settings

    model, export = folder / "tokenizer.model", folder / "sentencepiece.json"
    model.write_bytes(train(pages[::16], Settings(vocab_size=VOCABULARY)))
    export.write_bytes(dump(tokenizer_json(model)))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        pages[::16], trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=list(MARKS), initial_alphabet=alphabet)
    )
    (folder / "bpe").mkdir()
    given = folder / "bpe" / "tokenizer.json"
    bpe.save(str(given))
    given.with_name("tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))
    return {
        "SentencePiece BPE": {"trainwright": model, "datasets": export, "datatrove": export},
        "byte-level BPE": dict.fromkeys(SIDES, given),
    }


def write_plan(folder: Path) -> None:
    """A plan whose data is the corpus."""
    import trainwright as package
    from trainwright.compiler.load import load
    from trainwright.compiler.pipeline import compile_bundle

    spec = Path(package.__file__).with_name("examples") / "tiny-cpu.yaml"
    sets = ["data.train=corpus/*.jsonl", "data.validation=1%", f"model.vocab_size={VOCABULARY}"]
    tokenizer = f"tokenizer={{vocab_size: {VOCABULARY}, path: {folder}/tokenizer.model}}"
    local = folder / "spec.yaml"
    local.write_text(spec.read_text())
    (folder / "plan.json").write_text(compile_bundle(load(local, [*sets, tokenizer]))["plan.json"])


def compare(options: argparse.Namespace, folder: Path, algorithm: str, files: dict[str, Path]) -> None:
    """Run the sides in turn, the fastest of the rounds each, and print a line a side."""
    best: dict[str, dict[str, float]] = {}
    ids: dict[str, list[bytes]] = {}
    pythons = dict.fromkeys(SIDES, options.peers) | {"trainwright": Path(sys.executable)}
    for _ in range(options.rounds):
        for side in SIDES:
            shutil.rmtree(folder / "out", ignore_errors=True)
            words = [pythons[side], __file__, "--side", side, "--folder", folder, "--tokenizer", files[side]]
            environment = os.environ | {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
            done = subprocess.run(
                [*map(str, words), "--workers", str(options.workers)],
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                sys.exit(done.stderr)
            entry = json.loads(done.stdout.splitlines()[-1])
            ids.setdefault(side, entry.pop("documents"))
            best[side] = {key: min(value, best.get(side, entry)[key]) for key, value in entry.items()}
    same = len(set(map(str, ids.values()))) == 1
    print(f"{algorithm}: {'the same ids' if same else f'other ids: {ids}'} in {ids['trainwright'][0]} documents")
    tokens = best["trainwright"]["tokens"]
    for side, entry in best.items():
        rate = tokens / entry["cpu"]
        times = {key: entry[key] / best["trainwright"][key] for key in ("clock", "cpu")}
        print(
            f"  {side:12} {entry['clock']:6.1f} s, {entry['cpu']:6.1f} s of processors,"
            f" {rate / 1e6:5.2f} M tokens/s a core; {times['clock']:.2f} times ours, {times['cpu']:.2f} of processors"
        )


def one_side(options: argparse.Namespace) -> None:
    """Measure a side in this process, and print what came of it."""
    import hashlib

    entry = measured(options.side, options.folder, options.tokenizer, options.workers)
    found = ids_of(options.side, options.folder)
    digest = hashlib.sha256(b"".join(hashlib.sha256(ids).digest() for ids in found)).hexdigest()
    print(json.dumps(entry | {"tokens": sum(map(len, found)) // 2, "documents": [len(found), digest]}))


def main() -> None:
    """All of it, or one side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--megabytes", type=float, default=100)
    parser.add_argument("--peers", type=Path, help="Python of an environment with datasets and datatrove.")
    for name in ("side", "folder", "tokenizer"):
        parser.add_argument(f"--{name}", type=str if name == "side" else Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        one_side(options)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages = write_corpus(folder, options.megabytes)
        every = write_tokenizers(folder, pages)
        (folder / "facts.json").write_text(json.dumps({"begin": 1, "end": 2}))
        write_plan(folder)
        print(f"{options.megabytes:g} MB, {options.workers} workers, best of {options.rounds}")
        for algorithm, files in every.items():
            compare(options, folder, algorithm, files)


if __name__ == "__main__":
    main()

"""The tokenizer of a run: trained on a sample of the corpus, or copied from the file that the spec names."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from ...spec.atomic_files import write_atomically
from ...spec.foreign_files import read_json
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ..data.digests import TOKENIZER
from ..data.json_tokenizer import CONFIG, JsonTokenizer, read_part
from ..data.open_tokenizer import is_json
from ..data.shards import file_sha256
from ..data.tokenizer import Tokenizer, train
from .documents import BadDocument, Block, documents, size_of
from .given_tokenizer import refuse_unfit
from .job import Advance, Job

RECORD = "made-from.json"
_SAMPLES = 200  # documents of a source that a given tokenizer is tried on


def make_tokenizer(job: Job, advance: Advance) -> str:
    """Leave the run with the tokenizer its plan asks for; what was done, in words.

    Raises InputError when the vocabulary does not fit, OSError when it cannot be written.
    """
    present = _present(job.run.tokenizer)
    if job.trained is not None and present is not None and job.trained.get(TOKENIZER, present) == present:
        return "unchanged"
    wanted = _recipe(job)
    if job.trained is None and _recorded(job.run) == wanted | {"sha256": present}:
        return "unchanged"
    given = job.plan.tokenizer.path
    shared = None if given else _shared(job, wanted)
    if shared is not None:
        content = shared
    else:
        content = read_part(job.root / given) if given else train(list(_sample(job, advance)), job.plan.tokenizer)
    digest = hashlib.sha256(content).hexdigest()
    job.refuse_other(TOKENIZER, digest)
    put = _put_json if given and is_json(given) else _put_model
    put(content, job)
    record = wanted | {"sha256": digest}
    write_atomically(_record(job.run), json.dumps(record, indent=1, sort_keys=True).encode())
    return "copied" if given else "trained" if shared is None else f"found in {job.store.path}"


def _shared(job: Job, wanted: dict[str, object]) -> bytes | None:
    """The model that another run has trained on the same corpus with the same settings, from its dataset."""
    for digest in job.store.digests:
        folder = job.store.folder(digest)
        model = folder / job.run.tokenizer_model.name
        with suppress(OSError, ValueError):
            content = model.read_bytes()
            if read_json(folder / RECORD) == wanted | {"sha256": hashlib.sha256(content).hexdigest()}:
                return content
    return None


def _put_model(content: bytes, job: Job) -> None:
    """Write the model, once it fits the plan: what was there before stays where it does not."""
    draft = job.run.tokenizer_model.with_name("tokenizer.new")
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft.write_bytes(content)
        _refuse_other_size(Tokenizer(draft).vocab_size, job)
        if job.plan.tokenizer.path:
            refuse_unfit(draft, job.plan.tokenizer, _first_texts(job))
        job.run.tokenizer_json.unlink(missing_ok=True)
        write_atomically(job.run.tokenizer_model, content)
    finally:
        draft.unlink(missing_ok=True)


def _put_json(content: bytes, job: Job) -> None:
    """As `_put_model`, for a tokenizer.json and what lies beside it."""
    given = job.root / (job.plan.tokenizer.path or "")
    config = read_part(given.with_name(CONFIG))
    _refuse_other_size(JsonTokenizer(content, config, str(given)).vocab_size, job)
    job.run.tokenizer_json.parent.mkdir(parents=True, exist_ok=True)
    job.run.tokenizer_model.unlink(missing_ok=True)
    write_atomically(job.run.tokenizer_json.with_name(CONFIG), config)
    write_atomically(job.run.tokenizer_json, content)


def _refuse_other_size(found: int, job: Job) -> None:
    if found != job.plan.model.vocab_size:
        message = f"the tokenizer has {found} pieces, the model {job.plan.model.vocab_size}"
        remedy = f"Write {found} for model.vocab_size and tokenizer.vocab_size."
        raise InputError.one("TW824", message, remedy, "model.vocab_size")


def _first_texts(job: Job) -> Iterator[str]:
    """Some documents of each source of text."""
    for source in job.text_sources:
        blocks = (block for block, _ in job.text_blocks(source))
        found = (document for block in blocks for document in documents(block))
        texts = (document.text for document in found if not isinstance(document, BadDocument))
        yield from islice(texts, _SAMPLES)


def _recipe(job: Job) -> dict[str, object]:
    """What decides the model: its settings, and the corpus or the file it comes from."""
    settings = job.plan.tokenizer.model_dump(mode="json")
    settings.pop("path")  # what is there decides, not where
    given = job.plan.tokenizer.path
    origin = _present(job.root / given) if given else job.fingerprint
    recipe: dict[str, object] = {"settings": settings, "seed": job.plan.data.seed, "origin": origin}
    if given and is_json(given):
        recipe["config"] = _present((job.root / given).with_name(CONFIG))
    return recipe


def _record(run: RunFolder) -> Path:
    return run.tokenizer.with_name(RECORD)


def _recorded(run: RunFolder) -> object:
    try:
        return read_json(_record(run))
    except (OSError, ValueError):
        return None


def _present(path: Path) -> str | None:
    return file_sha256(path) if path.is_file() else None


def _sample(job: Job, advance: Advance) -> Iterator[str]:
    """Documents of the blocks whose seeded hashes are lowest, as many as `training_bytes` holds, in corpus order."""
    budget = job.plan.tokenizer.training_bytes
    kept: list[tuple[int, int, int, Block]] = []  # a heap with the highest hash, negated, on top
    size = 0
    for number, (source, block) in enumerate(_every_block(job, advance)):
        key = hashlib.blake2b(f"{job.plan.data.seed}/{number}".encode(), digest_size=8).digest()
        heapq.heappush(kept, (-int.from_bytes(key), number, source, block))
        size += size_of(block)
        while size > budget and len(kept) > 1:
            size -= size_of(heapq.heappop(kept)[3])
    bad = job.bad_documents()
    for _, _, source, block in sorted(kept, key=lambda entry: entry[1]):
        for document in documents(block):
            if isinstance(document, BadDocument):
                bad.add(source, [document])
            else:
                yield document.text
    bad.refuse()


def _every_block(job: Job, advance: Advance) -> Iterator[tuple[int, Block]]:
    for source in job.text_sources:
        for block, size in job.text_blocks(source):
            advance(size)
            yield source, block

"""The proof of an export before it gets its name: the ids of samples, every weight, and the logits of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import psutil
import torch
from safetensors import safe_open

from ...spec.plan import Plan
from ...spec.problem import InputError
from ...spec.run_folder import RunFolder
from ..data.open_tokenizer import is_json, open_tokenizer
from ..data.shards import read_index
from ..model.llama import Llama
from .same_ids import HARD_TEXTS, why_not_exportable
from .sample import load_exported

_SAMPLES, _SAMPLE_TOKENS = 64, 400
_ROOM = 3  # models of fp32 that the comparison of logits holds at most, in the memory that is free


def prove(folder: Path, plan: Plan, run: RunFolder, weights: Mapping[str, torch.Tensor]) -> None:
    """Raise InputError when the export in `folder` differs from the run's tokenizer or from `weights`."""
    difference = _other_ids(folder, run) or _other_weight(folder, weights)
    if difference is None and plan.model.shape.parameters * 4 * _ROOM < psutil.virtual_memory().available:
        difference = _other_logits(folder, plan, weights)
    if difference is not None:
        message = f"the export is not the trained model: {difference}"
        raise InputError.one("TW850", message, "Please report this with the run's plan.json.", "RUN")


def _other_ids(folder: Path, run: RunFolder) -> str | None:
    """A text that the exported tokenizer gives other ids."""
    if not is_json(run.tokenizer):
        return why_not_exportable(run.tokenizer, _texts(run))
    ours, theirs = open_tokenizer(run.tokenizer), open_tokenizer(folder / "tokenizer.json")
    different = (t for t in (*HARD_TEXTS, *_texts(run)) if ours.encode(t).tolist() != theirs.encode(t).tolist())
    return next((f"its tokenizer gives other ids for {text[:60]!r}" for text in different), None)


def _texts(run: RunFolder) -> Iterator[str]:
    """Text of the run's shards, where they are still there."""
    try:
        index = read_index(run.data)
    except InputError:
        return
    tokenizer = open_tokenizer(run.tokenizer)
    for part in (*index.validation, *index.train):
        for shard in part.shards[:1]:
            ids = np.memmap(run.data / shard.file, np.dtype(index.dtype), "r")
            for start in np.linspace(0, max(0, len(ids) - _SAMPLE_TOKENS), _SAMPLES, dtype=int):
                yield tokenizer.decode(ids[start : start + _SAMPLE_TOKENS])


def _other_weight(folder: Path, weights: Mapping[str, torch.Tensor]) -> str | None:
    """The first tensor whose bytes on disk are not those of the run."""
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a mapping
                if not torch.equal(file.get_tensor(name), weights[name]):
                    return f"{name} differs on disk"
    return None


@torch.no_grad()
def _other_logits(folder: Path, plan: Plan, weights: Mapping[str, torch.Tensor]) -> str | None:
    """Whether the model read from `folder` computes something else than one with `weights`."""
    ids = torch.arange(min(64, plan.training.sequence_length))[None] % plan.model.vocab_size
    with torch.device("meta"):
        model = Llama(plan.model)
    model.load_state_dict({name: weight.float() for name, weight in weights.items()}, assign=True)
    model.tie()
    same = torch.equal(model.eval()(ids), load_exported(plan, folder)(ids))
    return None if same else "its logits differ"

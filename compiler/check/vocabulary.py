"""The vocabulary is a multiple of 64, so that the largest matrix product of the model runs at full speed.

The output head multiplies by a matrix of vocab_size rows. Tensor cores lose up to half their speed on sizes that are
no multiple of 64 elements. Under tensor parallelism the head stays whole on every rank, so its size is not divided.

Bad:

    model: {preset: llama2-7b, vocab_size: 50257}

Good:

    model: {preset: llama2-7b, vocab_size: 50304}
"""

from __future__ import annotations

from collections.abc import Iterator

from ...spec.facts import figures
from ..load import Loaded
from .finding import Finding

CODE = "TW403"


def check(loaded: Loaded) -> Iterator[Finding]:
    """A vocabulary that slows the output head on GPUs."""
    size, multiple = loaded.spec.model.vocab_size, figures("sanity")["vocabulary_multiple"]
    if not loaded.spec.cluster.on_cpu and size % multiple:
        above = -(-size // multiple) * multiple
        message = f"{size} is no multiple of {multiple}: the output head misses the tensor cores' fast path"
        yield Finding("model.vocab_size", message, f"Use {above} in the model and the tokenizer.")

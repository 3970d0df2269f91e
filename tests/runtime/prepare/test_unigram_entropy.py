"""The unigram entropy of held-out shards."""

import math
from pathlib import Path

import numpy as np
import pytest

from trainwright.runtime.data.shards import ShardWriter
from trainwright.runtime.prepare.unigram_entropy import unigram_entropy
from trainwright.spec.dataset_index import SourcePart


def part(folder: Path, name: str, tokens: list[int]) -> SourcePart:
    """A source whose one shard holds `tokens`."""
    writer = ShardWriter(folder, name, "uint16")
    writer.write(np.array(tokens, np.uint16))
    writer.close()
    return SourcePart(path=name, documents=1, bytes=0, tokens=len(tokens), shards=tuple(writer.shards))


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [([[3, 3], [3, 3]], 0.0), ([[0, 1], [2, 3]], math.log(4)), ([[5, 5, 5], [6]], 0.5623351446)],
)
def test_entropy_is_that_of_the_pooled_frequencies(tmp_path: Path, tokens: list[list[int]], expected: float) -> None:
    """All sources count together, and tokens that never occur count nothing."""
    parts = [part(tmp_path, f"source-{number}", ids) for number, ids in enumerate(tokens)]
    assert unigram_entropy(tmp_path, parts, "uint16", 8) == pytest.approx(expected)

"""The budget of open shards: thousands of files, few descriptors, the right bytes."""

import os
from pathlib import Path

import numpy as np
import pytest

from trainwright.runtime.data.dataset import Stream
from trainwright.runtime.data.shard_files import OPEN_FILES, ShardFiles
from trainwright.spec.dataset_index import Shard, SourcePart


def descriptors() -> int:
    """Files that this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_thousands_of_shards_take_few_descriptors(tmp_path: Path) -> None:
    """Every token of 3,000 shards is read, in any order, and no more files are open than the budget says."""
    ids = np.arange(9000, dtype="<u2")
    shards = []
    for number in range(3000):
        (tmp_path / f"{number}").write_bytes(ids[3 * number : 3 * number + 3].tobytes())
        shards.append(Shard(file=f"{number}", tokens=3, sha256=""))
    before = descriptors()
    stream = Stream(tmp_path, SourcePart(path="", documents=1, bytes=0, tokens=9000, shards=tuple(shards)), "uint16")
    assert descriptors() == before
    assert stream.read(0, 9000).tolist() == ids.tolist()
    for start in (8990, 0, 4444):
        assert stream.read(start, 10).tolist() == list(range(start, start + 10))
    assert descriptors() <= before + OPEN_FILES


def test_a_file_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    """A torn disk is an OSError that names the file, never a signal or wrong tokens."""
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    files = ShardFiles(2)
    assert files.read(path, 3, 4) == b"3456"
    os.truncate(path, 5)
    with pytest.raises(OSError, match="a has become shorter"):
        files.read(path, 3, 4)


def test_a_file_of_the_same_name_is_read_anew(tmp_path: Path) -> None:
    """After `forget` the name is opened again."""
    path = tmp_path / "a"
    path.write_bytes(b"old")
    files = ShardFiles(2)
    assert files.read(path, 0, 3) == b"old"
    path.unlink()
    path.write_bytes(b"new")
    files.forget(path)
    assert files.read(path, 0, 3) == b"new"

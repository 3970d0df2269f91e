"""Files of a corpus that lie in an object store: listed and read through fsspec, with the interface of a path.

Credentials and endpoints are those of the stores' own configuration (`AWS_PROFILE`, `AWS_ENDPOINT_URL`,
`GOOGLE_APPLICATION_CREDENTIALS`, `HF_TOKEN`); a spec holds none.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from .problem import InputError
from .remote_content import RemoteContent, as_os_error

# The packages that fsspec needs for a protocol; the last two are its own, for shared disks and for tests.
STORES = {"s3": "s3fs", "gs": "gcsfs", "hf": "huggingface_hub", "file": "fsspec", "memory": "fsspec"}
_MARKS = ("ETag", "etag", "md5Hash", "blob_id")  # what a store says of a file's content
_READ_BYTES = 2**20


def is_remote(pattern: str) -> bool:
    """Whether a pattern of a source names files of a store."""
    return "://" in pattern


def refuse_store(pattern: str) -> None:
    """Raise InputError when the store of a pattern is not known, or the package that it needs is not installed."""
    protocol = pattern.partition("://")[0]
    if protocol not in STORES or "::" in pattern:
        message = f"{pattern}: unknown store {protocol}://"
        known = ", ".join(f"{name}://" for name in STORES)
        raise InputError.one("TW832", message, f"Write one of {known}, or a path.", "data.train")
    missing = [name for name in ("fsspec", STORES[protocol]) if find_spec(name) is None]
    if missing:
        message = f"{pattern} needs {missing[0]}, which is not installed"
        raise InputError.one("TW832", message, "Run: pip install 'trainwright[remote]'.", "data.train")


@dataclass(frozen=True, slots=True)
class RemoteFacts:
    """What a path's `stat` says, as far as it is used."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, slots=True, order=True)
class RemoteFile(os.PathLike[str]):
    """A file of a store, by its URL."""

    url: str

    def __fspath__(self) -> str:
        """The URL, for messages."""
        return self.url

    def __str__(self) -> str:
        """The URL."""
        return self.url

    @property
    def name(self) -> str:
        """The last part."""
        return PurePosixPath(self.url).name

    @property
    def suffix(self) -> str:
        """The ending of the name, with its dot."""
        return PurePosixPath(self.url).suffix

    def with_suffix(self, suffix: str) -> RemoteFile:
        """The file beside it with another ending."""
        return replace(self, url=self.url.removesuffix(self.suffix) + suffix)

    def is_file(self) -> bool:
        """Whether it is there."""
        try:
            return self._info()["type"] == "file"
        except FileNotFoundError:
            return False

    def stat(self) -> RemoteFacts:
        """Size, and in the place of a time what changes with the content. Raises OSError."""
        info = self._info()
        return RemoteFacts(int(info["size"]), _number(_mark(info) or str(info)))

    def digest(self) -> str | None:
        """What the store says of the content, if it does; None means that it must be read."""
        return _mark(self._info())

    def open(self, mode: Literal["rb"] = "rb") -> io.BufferedReader:
        """The content, to be read. Raises OSError, also while it is read, whatever the store's library raises."""
        files, path = _store(self.url)
        with as_os_error(self.url):
            return io.BufferedReader(RemoteContent(files.open(path, mode), self.url), _READ_BYTES)

    def _info(self) -> dict[str, Any]:
        files, path = _store(self.url)
        with as_os_error(self.url):
            files.invalidate_cache()
            return files.info(path)


CorpusFile = Path | RemoteFile


def _mark(info: dict[str, Any]) -> str | None:
    found = next((str(info[key]) for key in _MARKS if info.get(key)), None)
    return None if found is None else f"{found}/{info['size']}"


def _number(text: str) -> int:
    """A number that is the same for a text in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def find_remote(pattern: str) -> list[RemoteFile]:
    """The files that a pattern names, by fsspec's rules, sorted. Raises InputError when the store cannot be listed."""
    refuse_store(pattern)
    protocol = pattern.partition("://")[0]
    files, path = _store(pattern)
    try:
        with as_os_error(pattern):
            found: dict[str, Any] = files.glob(path, detail=True)
    except OSError as error:
        message = f"{pattern} cannot be listed: {error.strerror or error}"
        raise InputError.one(
            "TW833", message, "Check its name, the credentials and the endpoint.", "data.train"
        ) from error
    return sorted(RemoteFile(f"{protocol}://{name}") for name, info in found.items() if info["type"] == "file")


def _store(url: str) -> tuple[Any, str]:
    """The file system of a URL, and its path there."""
    from fsspec.core import url_to_fs

    return url_to_fs(url)

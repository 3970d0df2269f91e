r"""The files that a pattern names, by the shell's conventions: one reading, for `check` and for preparation.

    *  ?  [abc]  [!abc]    within one name; a name that starts with a dot only where the pattern writes the dot
    **                     any depth of folders, also through links, but neither into hidden folders nor in circles
    \*                     a backslash takes the next character as it is

Whatever matches and is not read (a hidden name, a folder, a link to nothing, a pipe, a second path to a file) is left
out with its reason, so that it can be reported.
"""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

NOT_LISTED = "a folder that may not be listed"
FOLDER = "a folder"
_NAMED = 3  # examples of what was left out
_KINDS = {stat.S_IFDIR: FOLDER, stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"} | dict.fromkeys(
    (stat.S_IFCHR, stat.S_IFBLK), "a device"
)
_MAGIC = re.compile(r"(?:\\.|[^\\*?[])*[*?[]", re.DOTALL)
_PIECE = re.compile(
    r"\\(?P<plain>.)|\[(?P<not>[!^]?)(?P<set>\]?[^\]]*)\]|(?P<star>\*+)|(?P<one>\?)|(?P<other>.)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that matches and is not read."""

    path: Path
    reason: str  # completes "left out: PATH, ..."


@dataclass(slots=True)
class Found:
    """What a pattern matches; `complete` unless looking was stopped at one of the bounds."""

    files: list[Path] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    complete: bool = True


def shown(path: os.PathLike[str] | str) -> str:
    r"""A path for people and for JSON: bytes that are not UTF-8 become `\xff`."""
    return os.fsencode(path).decode(errors="backslashreplace")


def described(left_out: Sequence[LeftOut]) -> str:
    """How many names of each kind were left out, with examples."""
    kinds: dict[str, list[str]] = {}
    for entry in left_out:
        kinds.setdefault(entry.reason.partition(" as ")[0], []).append(shown(entry.path))
    return "; ".join(
        f"{len(names)} x {kind} ({', '.join(names[:_NAMED])}{and_more(len(names) - _NAMED)})"
        for kind, names in sorted(kinds.items())
    )


def and_more(count: int) -> str:
    """How a list of examples ends when `count` more are not named."""
    return f" and {count} more" if count > 0 else ""


def find(pattern: str, root: Path, *, most_files: float = math.inf, most_folders: float = math.inf) -> Found:
    """The regular files that `pattern` names below `root`, or anywhere for an absolute pattern, sorted."""
    base = root / "/" if pattern.startswith("/") else root
    parts = [part for part in re.split(r"(?<!\\)/", pattern) if part not in {"", "."}]
    if parts and parts[-1] == "**":
        parts.append("*")  # as in the shell, the files of every depth
    walk = _Walk(parts, most_files, most_folders)
    places = [_Place(base, 0)]
    while places:
        places += reversed(list(walk.onward(places.pop())))
    kept, twice = _distinct(walk.files)
    left_out = [LeftOut(path, reason) for path, reason in sorted((walk.left_out | twice).items())]
    return Found(kept, left_out, walk.complete)


def _distinct(files: dict[Path, bool]) -> tuple[list[Path], dict[Path, str]]:
    """Files in order, each once, and the further paths that lead to them through links."""
    if not any(files.values()):
        return sorted(files), {}
    names: dict[str, Path] = {}
    for path in sorted(files, key=lambda path: (files[path], path)):  # a path without a link goes first
        names.setdefault(os.path.realpath(path), path)
    kept = sorted(names.values())
    twice = {path: f"the same file as {shown(names[os.path.realpath(path)])}" for path in files.keys() - names.values()}
    return kept, twice


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a search stands: a path whose names fit the first `depth` parts, and how it was reached."""

    path: Path
    depth: int
    linked: bool = False
    above: tuple[tuple[int, int], ...] = ()  # device and inode of the folders that `**` has come through

    def to(self, entry: os.DirEntry[str], depth: int) -> _Place:
        return _Place(Path(entry.path), depth, self.linked or entry.is_symlink(), self.above)


class _Walk:
    """One search; `files` says of each whether a link leads to it."""

    def __init__(self, parts: list[str], most_files: float, most_folders: float) -> None:
        self.files: dict[Path, bool] = {}
        self.left_out: dict[Path, str] = {}
        self.complete = True
        self._parts, self._regexes = parts, [_regex(part) for part in parts]
        self._files_left, self._folders_left = most_files, most_folders
        self._entered: set[tuple[tuple[int, int], int]] = set()

    def onward(self, at: _Place) -> Iterator[_Place]:
        """The places that a place leads to; the last one is taken."""
        if at.depth == len(self._parts):
            self._take(at)
        elif self._parts[at.depth] == "**":
            yield replace(at, depth=at.depth + 1)
            yield from self._below(at)
        elif _MAGIC.match(self._parts[at.depth]):
            yield from self._matching(at)
        else:
            path = at.path / re.sub(r"\\(.)", r"\1", self._parts[at.depth])
            if os.path.lexists(path):
                yield _Place(path, at.depth + 1, at.linked or path.is_symlink(), at.above)

    def _matching(self, at: _Place) -> Iterator[_Place]:
        """What fits a part with wildcards."""
        last = at.depth + 1 == len(self._parts)
        dotted = self._parts[at.depth].startswith((".", "\\."))
        for entry in self._entries(at.path):
            if self._regexes[at.depth].fullmatch(entry.name):
                if entry.name.startswith(".") and not dotted:
                    self.left_out[Path(entry.path)] = "hidden"
                elif last or _is_folder(entry):
                    yield at.to(entry, at.depth + 1)

    def _below(self, at: _Place) -> Iterator[_Place]:
        """The folders in a folder, for a `**` that takes their names too."""
        if not at.path.is_dir():
            return
        here = replace(at, above=(*at.above, _identity(at.path)))
        self._entered.add((here.above[-1], at.depth))
        for entry in filter(_is_folder, self._entries(at.path)):
            reason = "hidden" if entry.name.startswith(".") else self._circle(entry, here)
            if reason:
                self.left_out[Path(entry.path)] = reason
            else:
                yield here.to(entry, at.depth)

    def _circle(self, entry: os.DirEntry[str], here: _Place) -> str | None:
        """Why a link to a folder is not followed, if it must not be."""
        if not entry.is_symlink():
            return None
        identity = _identity(Path(entry.path))
        if identity in here.above:
            return "a link to a folder above it"
        return "a link to a folder that is read already" if (identity, here.depth) in self._entered else None

    def _entries(self, path: Path) -> list[os.DirEntry[str]]:
        self._folders_left -= 1
        if self._folders_left < 0 or self._files_left < 0:
            self.complete = False
            return []
        try:
            with os.scandir(path) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except NotADirectoryError:
            return []
        except OSError:
            self.left_out[path] = NOT_LISTED
            return []

    def _take(self, at: _Place) -> None:
        try:
            kind = stat.S_IFMT(at.path.stat().st_mode)
        except OSError as error:
            broken = "a link to nothing" if at.path.is_symlink() else f"not accessible ({error.strerror})"
            self.left_out[at.path] = broken
            return
        if kind == stat.S_IFREG:
            self.files[at.path] = at.linked
            self._files_left -= 1
        elif kind != stat.S_IFDIR or "**" not in self._parts[-2:]:  # what `**` finds in a folder is read
            self.left_out[at.path] = _KINDS.get(kind, "not a file")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle
        return False


def _identity(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino


def _regex(part: str) -> re.Pattern[str]:
    """One name of a pattern as a regular expression. A bracket that is not closed is a bracket."""
    try:
        return re.compile("".join(map(_translated, _PIECE.finditer(part))), re.DOTALL)
    except re.error:  # a range from high to low holds nothing
        return re.compile("(?!)")


def _translated(piece: re.Match[str]) -> str:
    if piece["set"]:
        members = re.sub(r"([\\\[&~|^])", r"\\\1", piece["set"])
        return f"[{'^' if piece['not'] else ''}{members}]"
    if piece["star"]:
        return ".*"
    return "." if piece["one"] else re.escape(piece["plain"] or piece["other"] or piece[0])

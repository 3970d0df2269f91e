"""`extends: base.yaml`: one spec laid over another, inside the project folder only.

In: the path of a spec. Out: its tree with every base below it. The project folder is the folder of the first spec;
a base that leads out of it, by `..`, by an absolute path or through a link, is refused, and so is a cycle.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ...spec.problem import InputError
from ...spec.yaml_source import Node, read
from .merge import merge

MAX_BASES = 16


def load_with_bases(path: Path) -> Node:
    """The tree of the spec at `path` with its bases. Raises InputError."""
    return _load_with_bases(path, path.parent.resolve(), (path.resolve(),))


def _load_with_bases(path: Path, project: Path, chain: tuple[Path, ...]) -> Node:
    tree = read(path)
    named = tree.child("extends")
    if named is None:
        return tree
    own = replace(tree, value={key: node for key, node in tree.items.items() if key != "extends"})
    base = _base(named, path, project)
    if base.resolve() in chain or len(chain) > MAX_BASES:
        files = " -> ".join(item.name for item in (*chain, base))
        raise _error(
            named, f"`extends` goes round in a circle or too deep: {files}", "Let one of the files stand alone."
        )
    if not base.is_file():
        raise _error(named, f"there is no file {base}", "Write a path relative to this file.")
    return merge(_load_with_bases(base, project, (*chain, base.resolve())), own)


def _base(named: Node, path: Path, project: Path) -> Path:
    text = named.value
    if not isinstance(text, str) or not text or Path(text).is_absolute():
        raise _error(named, "`extends` takes the relative path of one file", "Write for example `extends: base.yaml`.")
    base = path.parent / text
    try:
        inside = base.resolve().is_relative_to(project)
    except (OSError, RuntimeError) as error:
        raise _error(named, f"cannot follow {text!r}: {error}", "Write a path relative to this file.") from error
    if not inside:
        message = f"{text!r} leads out of the project folder"
        raise _error(named, message, "Keep bases in the folder of the spec, or below it.")
    return base


def _error(named: Node, message: str, remedy: str) -> InputError:
    return InputError.one("TW110", message, remedy, "extends", named.place)

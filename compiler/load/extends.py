"""`extends: base.yaml`: specs laid over others, which lie inside the project folder or are site files.

In: the path of a spec. Out: its tree with every base below it. The project folder is the folder of the first spec;
a base that leads out of it, by `..`, by an absolute path or through a link, is refused unless it is listed as a site
file (`sites.py`), and so is a cycle. Of several bases a later one is laid over an earlier one.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import reduce
from pathlib import Path

from ...spec.problem import InputError
from ...spec.yaml_source import Node, read
from .merge import merge
from .sites import ABOUT, is_listed, sites

MAX_BASES = 16


def load_with_bases(path: Path) -> Node:
    """The tree of the spec at `path` with its bases. Raises InputError."""
    return _load_with_bases(path, path.parent.resolve(), (path.resolve(),))


def _load_with_bases(path: Path, project: Path, chain: tuple[Path, ...]) -> Node:
    tree = read(path)
    own = replace(tree, value={key: node for key, node in tree.items.items() if key not in _not_merged(path)})
    named = tree.child("extends")
    if named is None:
        return own
    bases = [_below(item, path, project, chain) for item in _named(named)]
    return reduce(merge, [*bases, own])


def _not_merged(path: Path) -> set[str]:
    return {"extends", ABOUT} if is_listed(path) else {"extends"}


def _named(named: Node) -> list[Node]:
    """The bases that `extends` names, one or a list."""
    items = named.value if isinstance(named.value, list) else [named]
    if not items or not all(isinstance(item.value, str) and item.value for item in items):
        message = "`extends` takes the relative path of a file, the name of a site, or a list of them"
        raise _error(named, message, "Write for example `extends: base.yaml`.")
    return items


def _below(named: Node, path: Path, project: Path, chain: tuple[Path, ...]) -> Node:
    """The tree of one base, with its own bases."""
    base, inside = _base(named, path, project)
    if base.resolve() in chain or len(chain) > MAX_BASES:
        names = " -> ".join(item.name for item in (*chain, base))
        raise _error(
            named, f"`extends` goes round in a circle or too deep: {names}", "Let one of the files stand alone."
        )
    return _load_with_bases(base, project if inside else base.parent.resolve(), (*chain, base.resolve()))


def _base(named: Node, path: Path, project: Path) -> tuple[Path, bool]:
    """The file that is meant, and whether it lies inside the project."""
    text = str(named.value)
    base = path.parent / Path(text).expanduser()
    try:
        there, inside, listed = base.is_file(), base.resolve().is_relative_to(project), is_listed(base)
    except (OSError, RuntimeError, ValueError) as error:
        raise _error(named, f"cannot follow {text!r}: {error}", "Write a path relative to this file.") from error
    if not (inside or listed):
        message = f"{text!r} leads out of the project folder"
        remedy = "Keep bases in the folder of the spec, or below it; list site files in TRAINWRIGHT_SITES."
        raise _error(named, message, remedy)
    if there:
        return base, inside
    known = sites()
    if text in known:
        return known[text].path, False
    near = difflib.get_close_matches(text, known, n=1)
    remedy = f"Did you mean the site `{near[0]}`?" if near else "Write a path relative to this file, or a site's name."
    raise _error(named, f"there is no file {base}, and no site of that name", remedy)


def _error(named: Node, message: str, remedy: str) -> InputError:
    return InputError.one("TW110", message, remedy, "extends", named.place)

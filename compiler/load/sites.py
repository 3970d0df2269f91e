"""Site files: a machine's `cluster` and `launch`, which specs extend by name, from outside their project folder.

Looked for in this order, the first of a name counts: files and folders listed in TRAINWRIGHT_SITES, the user's
`~/.config/trainwright/sites/`, and those shipped in `spec/facts/sites/`. Nothing else outside a project is extended.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ...spec.yaml_source import Node, read

VARIABLE = "TRAINWRIGHT_SITES"
ABOUT = "site"  # the key of a site file that says what it is, and from which source of which date


@dataclass(frozen=True, slots=True)
class Site:
    """A site file by name; `origin` says who lists it."""

    name: str
    path: Path
    origin: str


def sites() -> dict[str, Site]:
    """Every site that may be extended, by name."""
    found: dict[str, Site] = {}
    for origin, place in _places():
        for path in sorted(place.glob("*.yaml")) if place.is_dir() else [place] if place.is_file() else []:
            found.setdefault(path.stem, Site(path.stem, path, origin))
    return found


def is_listed(path: Path) -> bool:
    """Whether a file is a site file, or lies in a folder of them; links are followed first."""
    whole = path.resolve()
    return any(whole == place.resolve() or whole.is_relative_to(place.resolve()) for _, place in _places())


def about(tree: Node) -> dict[str, str]:
    """What a site file says of itself: title, source, date."""
    node = tree.child(ABOUT)
    return {key: str(value) for key, value in node.plain.items()} if node is not None and node.items else {}


def site_tree(site: Site) -> Node:
    """The tree of a site file. Raises InputError."""
    return read(site.path)


def _places() -> Iterator[tuple[str, Path]]:
    for listed in os.environ.get(VARIABLE, "").split(os.pathsep):
        if listed:
            yield VARIABLE, Path(listed).expanduser()
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    yield "user", Path(home).expanduser() / "trainwright" / "sites"
    yield "shipped", Path(str(files("trainwright.spec.facts").joinpath("sites")))

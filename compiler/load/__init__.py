"""The first stage: a path in, a resolved spec out, with the place and the origin of each of its values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from ...spec.problem import InputError, Place, Problem
from ...spec.sections import Spec
from ...spec.yaml_source import Node, digest
from .extends import load_with_bases
from .matrix import expand_matrix
from .override import apply_overrides
from .resolve import origins, resolve


@dataclass(frozen=True, slots=True)
class Loaded:
    """A spec and what is known about its text.

    `provenance` says for each dotted path where the value came from (a line, a preset and its source, `--set`,
    `default`); `places` where the user wrote it, for messages; `sha256` identifies the meaning: the resolved spec
    without comments, order or spelling.
    """

    spec: Spec
    provenance: Mapping[str, str]
    path: Path
    sha256: str
    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))

    def __hash__(self) -> int:
        return hash(self.sha256)


def load(path: Path | str, sets: Iterable[str] = ()) -> Loaded:
    """The one spec at `path`. Raises InputError with every problem, also when a matrix makes several of it."""
    loaded = load_all([path], sets)
    if len(loaded) != 1:
        names = ", ".join(item.spec.name for item in loaded)
        message = f"this spec is a matrix of {len(loaded)}: {names}"
        remedy = "Pick one with --set KEY=VALUE for each key of the matrix; of rows, for their first."
        raise InputError.one("TW111", message, remedy, "matrix", Place(str(path), 1, 1))
    return loaded[0]


def load_all(paths: Iterable[Path | str], sets: Iterable[str] = ()) -> list[Loaded]:
    """Every spec at `paths`, matrices expanded. Raises InputError with the problems of all of them at once."""
    overrides = tuple(sets)
    done: list[Loaded] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            tree = apply_overrides(load_with_bases(Path(path)), overrides)
            expanded = list(expand_matrix(tree))
            _distinct([suffix for suffix, _ in expanded], tree)
        except InputError as error:
            problems += error.problems
            continue
        for suffix, variant in expanded:
            try:
                done.append(_loaded(Path(path), suffix, variant))
            except InputError as error:
                problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise InputError(problems)
    return done


def _distinct(suffixes: list[str], tree: Node) -> None:
    """Refuse a matrix that makes two specs of one name: their bundles and runs would overwrite each other."""
    twice = sorted({suffix for suffix in suffixes if suffixes.count(suffix) > 1})
    matrix = tree.child("matrix")
    if twice and matrix is not None:
        message = f"two specs of the matrix would be called `{twice[0]}`"
        raise InputError.one(
            "TW111", message, "Make the values differ in their letters and digits.", "matrix", matrix.key
        )


def _loaded(path: Path, suffix: str, tree: Node) -> Loaded:
    name = tree.child("name")
    if suffix and name is not None and isinstance(name.value, str):
        # A family called `ladder` over the models `ladder-1m`, ... needs no `ladder-ladder-1m`.
        whole = suffix if suffix.startswith(f"{name.value}-") else f"{name.value}-{suffix}"
        tree = replace(tree, value={**tree.items, "name": replace(name, value=whole)})
    spec, whole = resolve(tree)
    table = list(origins(spec, whole))
    return Loaded(
        spec=spec,
        provenance={path: origin for path, origin, _ in table},
        path=path,
        sha256=digest(spec.model_dump_json()),
        places={path: place for path, _, place in table if place is not None} | _sections(whole),
    )


def _sections(tree: Node, path: str = "") -> dict[str, Place]:
    """The places of the keys of sections, for problems about a section as a whole."""
    places: dict[str, Place] = {}
    for name, node in tree.items.items():
        if isinstance(node.value, dict):
            where = f"{path}.{name}" if path else name
            places |= ({where: node.key} if node.key else {}) | _sections(node, where)
    return places

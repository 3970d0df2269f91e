"""What became of documents that cannot be used: all of them reported at once, or left out and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ...spec.dataset_index import Skipped
from ...spec.problem import InputError
from .documents import BadDocument

_MOST = 100  # problems in one report: a wrong field makes every line one
EXAMPLES = 3


class BadDocuments:
    """Collects the bad documents of a pass over the corpus, by source."""

    def __init__(self, *, skip: bool, sources: int) -> None:
        self._skip = skip
        self._found: list[BadDocument] = []
        self._counts = [Counter[str]() for _ in range(sources)]
        self._examples: list[dict[str, list[str]]] = [{} for _ in range(sources)]

    def add(self, source: int, found: Iterable[BadDocument]) -> None:
        """Take what was found next. Raises InputError when documents are refused and there are very many."""
        for bad in found:
            self._counts[source][bad.code] += 1
            examples = self._examples[source].setdefault(bad.code, [])
            if len(examples) < EXAMPLES:
                examples.append(f"{bad.path}:{bad.line}: {bad.message}")
            if not self._skip:
                self._found.append(bad)
        if len(self._found) >= _MOST:
            self.refuse()

    def refuse(self) -> None:
        """Raise InputError with everything found, where that is to be refused."""
        if self._found:
            raise InputError([bad.problem for bad in self._found[:_MOST]])

    def skipped(self, source: int) -> tuple[Skipped, ...]:
        """What was left out of a source, by the code of the reason."""
        return tuple(
            Skipped(code=code, documents=count, examples=tuple(self._examples[source][code]))
            for code, count in sorted(self._counts[source].items())
        )

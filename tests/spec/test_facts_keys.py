"""Promises of the tables under spec/facts/ as files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

FACTS = Path(__file__).parents[2] / "spec" / "facts"


def _mappings(node):
    """Every mapping below a node of YAML."""
    if isinstance(node, yaml.MappingNode):
        yield node
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode):
        for child in node.value:
            for part in child if isinstance(child, tuple) else (child,):
                yield from _mappings(part)


@pytest.mark.parametrize("path", sorted(FACTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_key_stands_twice(path):
    """YAML keeps the last of two equal keys in silence, so that one place would get another's figure."""
    root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for mapping in _mappings(root):
        counts = Counter(key.value for key, _ in mapping.value)
        assert [key for key, count in counts.items() if count > 1] == []

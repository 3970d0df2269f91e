"""YAML as a bundle has it: sorted keys, texts of several lines as blocks, no anchors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

# Text that a reader of YAML 1.1 or 1.2, such as Go's, takes for a number or a truth value where PyYAML sees text.
_OTHER_KIND = re.compile(
    r"[-+]?[\d_.]*\d[\d_.]*(e[-+]?\d+)?|0[xob][\da-f_]+|y|n|yes|no|on|off|true|false|null", re.IGNORECASE
)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else "'" if _OTHER_KIND.fullmatch(value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(documents: Sequence[Any]) -> str:
    """`documents` as one YAML stream."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=True, allow_unicode=True, width=110)

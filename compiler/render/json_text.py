"""JSON as the bundle has it: sorted keys, two spaces, one newline at the end. Never templated."""

from __future__ import annotations

import json
from typing import Any


def json_text(value: Any) -> str:
    """`value` as text. Raises ValueError for NaN and infinities, which are no JSON."""
    return json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

"""`trainwright schema`: the JSON Schema of the spec, for editors."""

from __future__ import annotations

import json

from ..compiler.help.json_schema import schema


def command() -> None:
    """Print the schema; `# yaml-language-server: $schema=...` in a spec gives completion and hover text."""
    print(json.dumps(schema(), indent=2, ensure_ascii=False))

"""Facts kept apart from code: numbers about hardware, grids and published constants, with unit, source and date."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def facts(name: str) -> dict[str, Any]:
    """The table `spec/facts/<name>.yaml`, read once. Raises FileNotFoundError when there is no such table."""
    text = files(__name__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 - both loaders are the safe ones

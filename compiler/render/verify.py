"""Stage `verify`: the compiler vouches for its output. Every file is parsed back before anything is written."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping

import yaml

from ...spec.estimate import Estimate
from ...spec.manifest import MANIFEST
from ...spec.plan import Plan
from .ds_keys import unknown_keys


class UnsoundError(RuntimeError):
    """The compiler made something that it cannot vouch for: an internal error, and nothing was written."""


def verify(files: Mapping[str, str], again: Mapping[str, str]) -> None:
    """Raise `UnsoundError` unless every file parses back and `again`, a second rendering, is the same."""
    if dict(files) != dict(again):
        changed = sorted(name for name in {*files, *again} if files.get(name) != again.get(name))
        raise UnsoundError(f"two compilations differ in {', '.join(changed)}")
    for name, text in files.items():
        try:
            _parse(name, text)
        except (ValueError, yaml.YAMLError) as error:
            raise UnsoundError(f"{name} does not parse: {error}") from error


def _parse(name: str, text: str) -> None:
    if name == "plan.json":
        Plan.model_validate_json(text)
    elif name == "estimate.json":
        Estimate.model_validate_json(text)
    elif name == "ds_config.json":
        unknown = unknown_keys(json.loads(text))
        if unknown:
            raise ValueError(f"DeepSpeed does not know {', '.join(unknown)}")
    elif name.endswith(".yaml"):
        list(yaml.safe_load_all(text))
    elif name.endswith((".sh", ".sbatch")):
        _check_script(text)
    elif name != MANIFEST and not text.isprintable() and "\0" in text:
        raise ValueError("it holds a NUL")


def _check_script(text: str) -> None:
    bash = shutil.which("bash")
    if bash is None:  # such a machine can still compile; it cannot launch
        return
    result = subprocess.run([bash, "-n"], input=text, encoding="utf-8", capture_output=True, check=False, timeout=60)
    if result.returncode:
        raise ValueError(result.stderr.strip())

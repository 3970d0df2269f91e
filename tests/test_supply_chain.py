"""What is installed is what was reviewed: the base install has a hash for every file, at the versions of CI."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PIN = re.compile(r"^([a-z0-9._-]+)==([^ \\;]+)", re.MULTILINE)
_NAME = re.compile(r"^[A-Za-z0-9._-]+")


def pins(name: str) -> dict[str, str]:
    """The versions in a file of requirements."""
    return {key.replace("_", "-"): version for key, version in _PIN.findall((ROOT / name).read_text(encoding="utf-8"))}


def test_the_base_install_is_pinned_by_hash() -> None:
    """Every dependency of the base install is there, each with SHA-256 hashes, at CI's version."""
    base, ours = pins("requirements-base.txt"), pins("constraints.txt")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {_NAME.findall(line)[0].lower() for line in project["dependencies"]} <= base.keys()
    assert {name: version for name, version in base.items() if ours.get(name, version) != version} == {}
    entries = (ROOT / "requirements-base.txt").read_text(encoding="utf-8").replace("\\\n", "").splitlines()
    assert [line for line in entries if line[:1] not in ("", "#") and "--hash=sha256:" not in line] == []


def test_what_ci_installs_is_pinned() -> None:
    """No line of the constraints leaves a version open."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#") and "==" not in line] == []

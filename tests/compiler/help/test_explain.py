"""The documentation of codes: complete, current, and its examples true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trainwright.compiler.check import RULES, check_files
from trainwright.compiler.help.explain import BLOCKS, entries, explain, reference
from trainwright.spec.problem import InputError

ROOT = Path(__file__).parents[3]
PACKAGES = ("spec", "compiler", "runtime", "commands")
BASES = {name: (ROOT / f"tests/bad/base/{name}.yaml").read_text(encoding="utf-8") for name in ("cpu", "gpu")}

BASES["no carbon"] = BASES["gpu"].replace(", intensity: 0.385 kg/kWh", "")


def used() -> set[str]:
    """Every code that the source mentions in quotes."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {code for path in files for code in re.findall(r'"(TW\d{3})"', path.read_text(encoding="utf-8"))}


def test_every_code_in_the_source_is_explained():
    """A code that a user can see has an entry."""
    assert sorted(used() - set(entries())) == []


def test_the_reference_page_is_current():
    """docs/reference/codes.md is what `trainwright explain --markdown` prints."""
    assert (ROOT / "docs/reference/codes.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("entry", entries().values(), ids=lambda entry: entry.code)
def test_an_entry_has_a_rule_and_a_reason(entry):
    """A title that is a sentence, why it is so, and both examples or none."""
    assert re.fullmatch(r"[A-Za-z-].*\.", entry.title)
    assert len(entry.why) > 20
    assert bool(entry.bad) == bool(entry.good)
    assert entry.code[2] in BLOCKS
    assert entry.code in entry.text
    assert entry.code in entry.markdown


def found(base: str, example: str, folder: Path) -> set[str]:
    """The codes of an example laid over a base."""
    (folder / "base.yaml").write_text(BASES[base], encoding="utf-8")
    (folder / "corpus").mkdir(exist_ok=True)
    (folder / "corpus/a.txt").write_text("text", encoding="utf-8")
    (folder / "tiny.txt").write_text("text", encoding="utf-8")
    path = folder / "example.yaml"
    path.write_text(f"extends: base.yaml\n{example}\n", encoding="utf-8")
    return {problem.code for problem in check_files([path])[0]}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.CODE)
def test_the_examples_of_a_rule_are_true(rule, tmp_path):
    """The bad example makes the rule speak, and the good one does not."""
    entry = explain(rule.CODE)
    assert any(rule.CODE in found(base, entry.bad, tmp_path) for base in BASES)
    assert any(rule.CODE not in found(base, entry.good, tmp_path) for base in BASES)


def test_an_unknown_code_names_the_nearest():
    """A slip of the finger is helped."""
    with pytest.raises(InputError, match="no code"):
        explain("TW999")
    assert explain("tw206").code == "TW206"

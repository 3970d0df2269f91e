"""The help of a mistake names what was meant."""

from __future__ import annotations

import pytest

from trainwright.compiler.load import load
from trainwright.spec.facts import facts
from trainwright.spec.problem import InputError
from trainwright.spec.section import Section, section_in
from trainwright.spec.sections import Spec


def keys(section: type[Section]) -> set[str]:
    """Every key of the language."""
    below = [section_in(field.annotation) for field in section.model_fields.values()]
    return set(section.model_fields).union(*(keys(kind) for kind in below if kind))


def helped(tmp_path, text: str) -> str:
    """The help for the only unknown key of a text."""
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    return next(problem.help for problem in caught.value.problems if problem.code == "TW201")


def test_words_of_other_tools_mean_keys_of_ours_and_are_none_themselves():
    """A synonym that is a key, or that leads nowhere, would mislead."""
    synonyms = facts("synonyms")
    assert set(synonyms.values()) <= keys(Spec)
    assert set(synonyms) & keys(Spec) == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle: x", "`model`"),
        ("training: {seq_len: 1}", "`sequence_length`"),
        ("training: {lr: 1}", "`training.optimizer.learning_rate`"),
        ("power_cap: 350 W", "`cluster.power_cap`"),
        ("cluster: {pressset: x}", "`preset`"),
        ("extend: x", "`extends`"),
        ("zzz: 1", "Known: version, name, model"),
    ],
)
def test_an_unknown_key_is_helped(tmp_path, text, words):
    """A misspelling, another tool's word, a key of another section."""
    assert words in helped(tmp_path, text)

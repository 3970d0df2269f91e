"""The remedy of a mistake names what was meant."""

from __future__ import annotations

import pytest

from trainwright.compiler.load import load
from trainwright.spec.facts import facts
from trainwright.spec.gpu_description import Peak
from trainwright.spec.launch import SlurmPrepare
from trainwright.spec.problem import InputError
from trainwright.spec.section import Section, section_in
from trainwright.spec.sections import Spec


def keys(section: type[Section]) -> set[str]:
    """Every key of the language."""
    below = [section_in(field.annotation) for field in section.model_fields.values()]
    return set(section.model_fields).union(*(keys(kind) for kind in below if kind))


def helped(tmp_path, text: str) -> str:
    """The remedy for the only unknown key of a text."""
    path = tmp_path / "spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    return next(problem.remedy for problem in caught.value.problems if problem.code == "TW201")


def test_words_of_other_tools_mean_keys_of_ours_and_are_none_themselves():
    """A synonym that is a key, or that leads nowhere, would mislead."""
    synonyms = facts("synonyms")
    assert set(synonyms.values()) <= keys(Spec)
    apart = set(Peak.model_fields) | set(SlurmPrepare.model_fields)  # `bf16` and `nodes` are keys there alone
    assert set(synonyms) & (keys(Spec) - apart) == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modle: x", "`model`"),
        ("training: {seq_len: 1}", "`sequence_length`"),
        ("training: {lr: 1}", "`training.optimizer.learning_rate`"),
        ("power_cap: 350 W", "`cluster.power_cap`"),
        ("cluster: {pressset: x}", "`preset`"),
        ("extend: x", "`extends`"),
        ("training: {gradient_accumulation_steps: 8}", "`global_batch`"),
        ("zzz: 1", "Known: version, name, model"),
    ],
)
def test_an_unknown_key_is_helped(tmp_path, text, words):
    """A misspelling, another tool's word, a key of another section."""
    assert words in helped(tmp_path, text)


@pytest.mark.parametrize(
    ("model", "meant"),
    [("meta-llama/Llama-2-7b-hf", "llama2-7b"), ("llama2-7B", "llama2-7b"), ("TinyLlama-1.1B", "tinyllama-1.1b")],
)
def test_a_models_name_elsewhere_leads_to_its_preset(tmp_path, model, meant):
    """A model hub's owner and capital letters are no reason to list every preset."""
    path = tmp_path / "spec.yaml"
    path.write_text(f"model: {model}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load(path)
    assert f"Did you mean `{meant}`?" in [problem.remedy for problem in caught.value.problems]

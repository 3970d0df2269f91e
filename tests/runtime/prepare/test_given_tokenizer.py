"""Tokenizers from elsewhere: trained and exported with the same ids, or refused with the reason."""

import io
import sysconfig
from pathlib import Path

import pytest
import sentencepiece

from trainwright.runtime.data.tokenizer import Tokenizer
from trainwright.runtime.huggingface import tokenizer_json
from trainwright.runtime.huggingface.same_ids import HARD_TEXTS, first_difference
from trainwright.runtime.prepare.given_tokenizer import refuse_unfit
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Tokenizer as Settings

TEXTS = (Path(sysconfig.get_path("stdlib")) / "bdb.py").read_text(encoding="utf-8").splitlines()
TEXTS += [f"{number} {number * 1000}" for number in range(1000, 1300)]
TEXTS += ["a < b > c | d"] * 50
PLAIN = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}


def model(folder: Path, **options: object) -> Path:
    """A SentencePiece model, trained as its own command would with these options."""
    content = io.BytesIO()
    defaults = {"vocab_size": 500, "model_type": "bpe", "byte_fallback": True, "split_digits": True, "minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(TEXTS), model_writer=content, **defaults | options)
    path = folder / "given.model"
    path.write_bytes(content.getvalue())
    return path


EXACT = {
    "identity": PLAIN,
    "unigram": PLAIN | {"model_type": "unigram"},
    "extra spaces removed": {"normalization_rule_name": "identity"},
    "no prefix": PLAIN | {"add_dummy_prefix": False},
    "symbols without prefix": PLAIN | {"add_dummy_prefix": False, "user_defined_symbols": ["<sep>"]},
    "control symbols": PLAIN | {"control_symbols": ["<mask>"]},
    "pad": PLAIN | {"pad_id": 3},
}


@pytest.mark.parametrize("options", EXACT.values(), ids=EXACT)
def test_what_can_be_exported_has_the_same_ids(tmp_path, options):
    """Training uses SentencePiece's ids, and so does the export."""
    path = model(tmp_path, **options)
    refuse_unfit(path, Settings(vocab_size=500, path="given.model"), TEXTS)
    reference = sentencepiece.SentencePieceProcessor(model_file=str(path))
    ours = Tokenizer(path)
    texts = (*HARD_TEXTS, *TEXTS, "a<sep>b <mask>c")
    assert all(ours.encode(text).tolist() == reference.encode(text) for text in texts)
    assert first_difference(path, texts) is None


def test_a_large_vocabulary_is_translated_in_one_pass(tmp_path, monkeypatch):
    """The user-defined symbols are looked up once, not once a piece: 32,000 pieces took two minutes."""
    asked: list[object] = []
    real = tokenizer_json.symbols
    monkeypatch.setattr(tokenizer_json, "symbols", lambda described: asked.append(described) or real(described))
    tokenizer_json.tokenizer_json(model(tmp_path, **PLAIN))
    assert len(asked) <= 2


REFUSED = {
    "no begin": ({"bos_id": -1} | PLAIN, "no piece for the begin of a document"),
    "no end": ({"eos_id": -1} | PLAIN, "no piece for the end of a document"),
    "no bytes": (PLAIN | {"byte_fallback": False}, "does not have byte_fallback, and the spec says true"),
    "digits together": (PLAIN | {"split_digits": False}, "does not have split_digits, and the spec says true"),
    "normaliser": ({}, "gives other ids for"),
    "suffix": (PLAIN | {"treat_whitespace_as_suffix": True}, "treat_whitespace_as_suffix"),
    "symbols": (PLAIN | {"user_defined_symbols": ["<sep>"]}, "user-defined symbols"),
    "words": (
        PLAIN | {"model_type": "word", "hard_vocab_limit": False, "byte_fallback": False, "vocab_size": 60},
        "byte_fallback",
    ),
}


@pytest.mark.parametrize(("options", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_exported_is_refused_with_the_reason(tmp_path, options, reason):
    """Before hours of training, not after."""
    with pytest.raises(InputError, match=r"TW82[56]") as refused:
        refuse_unfit(model(tmp_path, **options), Settings(vocab_size=500, path="given.model"), TEXTS)
    assert reason in str(refused.value)


def test_settings_of_the_spec_are_those_of_the_model(tmp_path):
    """Written as the model has them, they pass."""
    path = model(tmp_path, **PLAIN | {"byte_fallback": False, "split_digits": False})
    refuse_unfit(path, Settings(vocab_size=500, path="given.model", byte_fallback=False, split_digits=False), TEXTS)

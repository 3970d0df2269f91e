"""The tokenizer: SentencePiece's ids, no text lost, the same model every time, refusals that name a size that works."""

import re
import sysconfig
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from trainwright.runtime.data.tokenizer import Tokenizer, train
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Tokenizer as Settings

STDLIB = Path(sysconfig.get_path("stdlib"))
TEXTS = [(STDLIB / name).read_text(encoding="utf-8") for name in ("ast.py", "typing.py", "json/decoder.py", "bdb.py")]
SETTINGS = Settings(vocab_size=900)
ODD = [
    "",
    " ",
    "  a  b ",
    "\n\n\t x\0y",
    "a▁b",
    "▁",
    "▁ a",
    " ▁▁ ",
    "😀é\u200d",
    "<s></s><0x0A> <unk>",
    "\ufeffx",
    "\r\n",
    "\uff11\u0662 3",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained on a few modules of the standard library."""
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.model"
    path.write_bytes(train(TEXTS, SETTINGS))
    return path


@pytest.fixture(scope="module")
def tokenizer(model: Path) -> Tokenizer:
    """The trained tokenizer."""
    return Tokenizer(model)


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_round_trip(tokenizer, text):
    """Spaces, control characters, marks: everything comes back, SentencePiece's mark for a space as a space."""
    assert tokenizer.decode(tokenizer.encode(text)) == text.replace("▁", " ")


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \n\t▁\0aé")), max_size=60))
@settings(max_examples=500)
def test_any_text_round_trips(tokenizer, text):
    """Decoding inverts encoding for every Unicode text, but for SentencePiece's mark for a space."""
    assert tokenizer.decode(tokenizer.encode(text)) == text.replace("▁", " ")


@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \ndef▁")), max_size=60))
@settings(max_examples=500)
def test_ids_are_those_of_sentencepiece(model, tokenizer, text):
    """Encoding by words gives exactly the ids of the library, whatever the text."""
    assert tokenizer.encode(text).tolist() == sentencepiece.SentencePieceProcessor(model_file=str(model)).encode(text)


def test_ids_of_real_text_are_those_of_sentencepiece(model, tokenizer):
    """Whole source files, too, have exactly SentencePiece's ids."""
    reference = sentencepiece.SentencePieceProcessor(model_file=str(model))
    assert all(tokenizer.encode(text).tolist() == reference.encode(text) for text in TEXTS)


def test_digits_are_split(tokenizer):
    """Every digit is a token of its own (Llama 2, section 2.2)."""
    assert len(tokenizer.encode("20260713")) == 1 + len("20260713")


def test_training_is_deterministic(model):
    """The same texts give the same file, byte for byte."""
    assert train(TEXTS, SETTINGS) == model.read_bytes()


def test_control_pieces_are_llamas(tokenizer):
    """Begin is 1, end is 2, the vocabulary has the asked size."""
    assert (tokenizer.begin, tokenizer.end, tokenizer.vocab_size) == (1, 2, 900)


def test_too_large_a_vocabulary_names_the_largest_that_works():
    """The remedy of the refusal is true: the named size trains, one more does not."""
    with pytest.raises(InputError, match="TW822") as refused:
        train(TEXTS[2:3], Settings(vocab_size=50_000))
    largest = int(re.search(r"at most (\d+)", str(refused.value)).group(1))
    train(TEXTS[2:3], Settings(vocab_size=largest))
    with pytest.raises(InputError, match=f"at most {largest}"):
        train(TEXTS[2:3], Settings(vocab_size=largest + 1))


def test_too_small_a_vocabulary_names_the_smallest_that_works():
    """Bytes, marks and characters must fit; the named size trains."""
    with pytest.raises(InputError, match="at least") as refused:
        train(TEXTS, Settings(vocab_size=270))
    train(TEXTS, Settings(vocab_size=int(re.search(r"at least (\d+)", str(refused.value)).group(1))))


def test_rare_characters_may_become_bytes():
    """A small vocabulary takes a text of many characters at a lower coverage; nothing of the text is lost."""
    rare = "".join(chr(0x4E00 + number) for number in range(400))
    texts = [*TEXTS, rare]
    with pytest.raises(InputError, match="at least") as refused:
        train(texts, Settings(vocab_size=500))
    assert "A lower tokenizer.character_coverage (0.98 at least)" in refused.value.problems[0].remedy
    with pytest.raises(ValidationError):
        Settings(vocab_size=500, character_coverage=0.97)
    model = sentencepiece.SentencePieceProcessor(
        model_proto=train(texts, Settings(vocab_size=500, character_coverage=0.98))
    )
    assert model.decode(model.encode(rare)) == rare


def test_no_text_is_refused():
    """An empty corpus cannot train a tokenizer, and that is what the message says."""
    with pytest.raises(InputError, match="TW823"):
        train(["", "\n"], SETTINGS)


def test_another_file_is_refused(tmp_path):
    """A file that is no SentencePiece model is named."""
    (tmp_path / "x.model").write_bytes(b"hello")
    with pytest.raises(InputError, match="TW821"):
        Tokenizer(tmp_path / "x.model")

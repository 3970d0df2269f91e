"""tokenizer.json: ids equal the library's on hard text, training uses them, and transformers loads the export alike."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tokenizers
import torch
from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers, processors, trainers

from trainwright.runtime.checkpoint import store
from trainwright.runtime.data.json_tokenizer import JsonTokenizer
from trainwright.runtime.data.open_tokenizer import open_tokenizer
from trainwright.runtime.data.shards import read_index
from trainwright.runtime.huggingface.export import export
from trainwright.runtime.huggingface.same_ids import HARD_TEXTS
from trainwright.runtime.model.llama import Llama, build
from trainwright.runtime.prepare.job import Job
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError

# The pattern of Llama 3's tokenizer.json.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BEGIN, END = "<|begin_of_text|>", "<|end_of_text|>"
OTHER_END = "<|eot_id|>"
SIZE = 400


def trained(model: tokenizers.Tokenizer, special: list[str]) -> tokenizers.Tokenizer:
    """A byte-level BPE of SIZE pieces, learnt from the hard texts."""
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    model.train_from_iterator(HARD_TEXTS, trainer)
    return model


def gpt2() -> tokenizers.Tokenizer:
    """As GPT-2: one mark, which its post-processor does not add."""
    model = tokenizers.Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    model.post_processor = processors.ByteLevel(trim_offsets=False)
    return trained(model, [END])


def llama3() -> tokenizers.Tokenizer:
    """As Llama 3: a pattern of its own, a template that puts the begin mark first, an added token that is no mark."""
    model = tokenizers.Tokenizer(models.BPE(ignore_merges=True))
    split = pre_tokenizers.Split(Regex(LLAMA3), "isolated")
    model.pre_tokenizer = pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    model.decoder = decoders.ByteLevel()
    trained(model, [BEGIN, END])
    template = processors.TemplateProcessing(single=f"{BEGIN} $A", special_tokens=[(BEGIN, 0)])
    model.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    model.add_tokens([AddedToken("lazy dogs", normalized=False)])
    return model


def normalised() -> tokenizers.Tokenizer:
    """As Llama 3, with a normaliser before it, and a length that texts would be cut at."""
    model = llama3()
    model.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    model.enable_truncation(8)
    model.enable_padding(length=8)
    return model


KINDS = {"gpt2": gpt2, "llama3": llama3, "normalised": normalised}


def put(model: tokenizers.Tokenizer, folder: Path, **config: object) -> Path:
    """The two files of a tokenizer, and the path of the first."""
    folder.mkdir(exist_ok=True)
    model.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": END} | config))
    return folder / "tokenizer.json"


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_the_librarys_on_hard_text(tmp_path: Path, kind: str) -> None:
    """Scripts, emoji, combining marks, digits, code and control characters, never cut; marks in text are text."""
    path = put(KINDS[kind](), tmp_path)
    ours, theirs = open_tokenizer(path), tokenizers.Tokenizer.from_file(str(path))
    theirs.no_truncation()
    theirs.no_padding()
    theirs.encode_special_tokens = True
    for text in (*HARD_TEXTS, "some lazy dogs", " ".join(HARD_TEXTS) * 20, f"a{END}b{BEGIN}"):
        ids = ours.encode(text).tolist()
        assert ids == theirs.encode(text, add_special_tokens=False).ids
        assert not {ours.begin, ours.end} & set(ids)
        if kind != "normalised":
            assert ours.decode(ids) == text
    assert ours.begin == (None if kind == "gpt2" else theirs.token_to_id(BEGIN))
    assert (ours.end, ours.vocab_size) == (theirs.token_to_id(END), theirs.get_vocab_size())


def job_with(make_job, path: Path) -> Job:
    """A job over the project's corpus with a given tokenizer."""
    size = open_tokenizer(path).vocab_size
    job = make_job(vocabulary=size)
    tokenizer = job.plan.tokenizer.model_copy(update={"path": str(path.relative_to(job.root))})
    return Job(job.plan.model_copy(update={"tokenizer": tokenizer}), job.run, job.root, job.workers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_prepared_and_exported_with_the_same_ids(make_job, project: Path, tmp_path: Path, kind: str) -> None:
    """Documents begin with what the library puts first and end in eos_token; transformers gives the ids of training."""
    job = job_with(make_job, put(KINDS[kind](), project / "given"))
    assert make_tokenizer(job, lambda _: None) == "copied"
    assert make_tokenizer(job, lambda _: None) == "unchanged"
    make_shards(job, lambda _: None)
    index, ours = read_index(job.run.data), open_tokenizer(job.run.tokenizer)
    ids = np.fromfile(job.run.data / index.train[0].shards[0].file, "<u2")
    documents = np.split(ids, np.flatnonzero(ids == ours.end) + 1)[:-1]
    assert len(documents) == index.train[0].documents
    assert {int(document[0]) == ours.begin for document in documents} == {ours.begin is not None}

    job.run.plan.write_text(job.plan.model_dump_json())
    draft = store.create_draft(job.run.checkpoints, 5)
    path = draft / "engine" / "mp_rank_00_model_states.pt"
    path.parent.mkdir()
    weights = build(partial(Llama, job.plan.model), "cpu", seed=5).state_dict()
    torch.save({"module": weights, "param_shapes": []}, path)
    store.publish(draft, 5, {"engine/mp_rank_00_model_states.pt": store.hash_file(path)})
    export(job.run, tmp_path / "out")
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(tmp_path / "out")
    begin = [] if ours.begin is None else [ours.begin]
    for text in (*HARD_TEXTS, f"a{END}b{BEGIN}"):
        assert theirs(text)["input_ids"] == begin + ours.encode(text).tolist()
    assert (theirs.eos_token_id, theirs.bos_token_id) == (ours.end, ours.begin)
    assert not (tmp_path / "out/tokenizer.model").exists()


def both_marks() -> tokenizers.Tokenizer:
    """A post-processor that also ends the text."""
    model = llama3()
    marks = [(BEGIN, 0), (END, 1)]
    model.post_processor = processors.TemplateProcessing(single=f"{BEGIN} $A {END}", special_tokens=marks)
    return model


def one_mark() -> tokenizers.Tokenizer:
    """A post-processor that begins a text with the mark of its end."""
    model = llama3()
    model.post_processor = processors.TemplateProcessing(single=f"{END} $A", special_tokens=[(END, 1)])
    return model


def dropout() -> tokenizers.Tokenizer:
    """A BPE that leaves out merges at random."""
    model = llama3()
    model.model.dropout = 0.1
    return model


REFUSED = {
    "both marks": (both_marks, {}, "adds more to a text than one mark before it"),
    "one mark": (one_mark, {}, "begins and ends a document with the same mark"),
    "dropout": (dropout, {}, "other ids each time"),
    "no end": (llama3, {"eos_token": None}, "has no eos_token in its tokenizer_config.json"),
    "unknown end": (llama3, {"eos_token": "<|eot_id|>"}, "has no special token '<|eot_id|>'"),
    "an end that is text": (llama3, {"eos_token": "lazy dogs"}, "text could hold it"),
}


@pytest.mark.parametrize(("model", "config", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_a_run_cannot_be_trained_with_is_refused(tmp_path: Path, model, config: dict, reason: str) -> None:
    """Before hours of training, with the reason."""
    with pytest.raises(InputError) as refused:
        open_tokenizer(put(model(), tmp_path, **config))
    assert reason in str(refused.value)
    assert refused.value.problems[0].code == "TW825"


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[1]", b'{"model": {"type": "BPE"}}'])
def test_what_is_no_tokenizer_json_is_refused(content: bytes) -> None:
    """In one line."""
    with pytest.raises(InputError, match=r"TW821 .*given.json is not a tokenizer.json"):
        JsonTokenizer(content, b'{"eos_token": "</s>"}', "given.json")


def test_an_end_may_be_written_as_the_hub_does(tmp_path: Path) -> None:
    """A mapping with its content."""
    assert open_tokenizer(put(llama3(), tmp_path, eos_token={"content": END, "special": True})).end == 1
    (tmp_path / "tokenizer_config.json").unlink()
    with pytest.raises(InputError, match=r"TW821 .*tokenizer_config.json cannot be read"):
        open_tokenizer(tmp_path / "tokenizer.json")


def test_another_configuration_makes_the_tokenizer_anew(make_job, project: Path) -> None:
    """What ends a document is decided there."""
    model = llama3()
    model.add_special_tokens([OTHER_END])
    path = put(model, project / "given")
    job = job_with(make_job, path)
    make_tokenizer(job, lambda _: None)
    put(model, project / "given", eos_token=OTHER_END)
    assert make_tokenizer(job, lambda _: None) == "copied"
    assert open_tokenizer(job.run.tokenizer).end == model.token_to_id(OTHER_END)


def test_the_kind_of_a_runs_tokenizer_may_change_before_it_trains(make_job, project: Path) -> None:
    """The other kind's file is gone, so that nothing stale is found."""
    job = job_with(make_job, put(llama3(), project / "given"))
    plain = Job(make_job().plan, job.run, job.root, 1)
    make_tokenizer(plain, lambda _: None)
    make_tokenizer(job, lambda _: None)
    assert job.run.tokenizer == job.run.tokenizer_json
    make_tokenizer(plain, lambda _: None)
    assert job.run.tokenizer == job.run.tokenizer_model

"""Export: what transformers loads is the trained model, tokenizer included; what is damaged is never exported."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from trainwright.runtime.checkpoint import store
from trainwright.runtime.data.tokenizer import Tokenizer
from trainwright.runtime.huggingface import export as exporting
from trainwright.runtime.huggingface.sample import greedy_completion, load_exported
from trainwright.runtime.model.llama import Llama, build
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError

TOKENS = torch.randint(3, 320, (2, 24), generator=torch.Generator().manual_seed(1))
PROMPTS = ["carbon", "  two spaces ", "1: model\n  indented 12", "", "é😀\0\t<unusual>"]


@pytest.fixture
def job(make_job):
    """A run with a plan and a tokenizer, and no checkpoint yet."""
    return with_plan(make_job())


def with_plan(job):
    """The job, with its tokenizer made and its plan in the run folder."""
    make_tokenizer(job, lambda _: None)
    job.run.plan.write_text(job.plan.model_dump_json())
    return job


def checkpoint(job, step: int) -> Llama:
    """A checkpoint in the form of DeepSpeed's ZeRO-1, of a model initialised with `step` as its seed."""
    model = build(partial(Llama, job.plan.model), "cpu", seed=step)
    draft = store.create_draft(job.run.checkpoints, step)
    path = draft / "engine" / "mp_rank_00_model_states.pt"
    path.parent.mkdir()
    torch.save({"module": model.state_dict(), "param_shapes": []}, path)
    store.publish(draft, step, {"engine/mp_rank_00_model_states.pt": store.hash_file(path)})
    return model


def loaded(folder: Path):
    """The exported model and tokenizer, by transformers alone."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    return AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def test_transformers_gives_the_same_logits_and_ids_and_words(job, tmp_path):
    """The exported folder, loaded by transformers, computes, tokenizes and generates what the run's own model does."""
    model = checkpoint(job, 5)
    done = exporting.export(job.run, tmp_path / "out")
    theirs, tokenizer = loaded(tmp_path / "out")
    torch.testing.assert_close(theirs(TOKENS).logits, model(TOKENS), rtol=1e-5, atol=1e-5)
    ours = Tokenizer(job.run.tokenizer)
    for prompt in PROMPTS:
        ids = tokenizer(prompt)["input_ids"]
        assert ids == [ours.begin, *ours.encode(prompt).tolist()]
        assert tokenizer.decode(ids, skip_special_tokens=True) == prompt
    prompt = tokenizer("carbon", return_tensors="pt")
    said = theirs.generate(**prompt, do_sample=False, max_new_tokens=8, min_new_tokens=8)
    own = greedy_completion(load_exported(job.plan, tmp_path / "out"), ours, "carbon", context=32, length=8)
    assert ours.decode(said[0]) == own
    assert (done.step, done.damaged) == (5, ())


def test_precision_is_that_of_the_training(make_job, tmp_path):
    """A bf16 run exports bf16 weights, and its config says so."""
    job = make_job()
    training = job.plan.training.model_copy(update={"precision": "bf16"})
    job = with_plan(type(job)(job.plan.model_copy(update={"training": training}), job.run, job.root, 1))
    checkpoint(job, 5)
    exporting.export(job.run, tmp_path / "out")
    assert {w.dtype for w in load_file(tmp_path / "out" / "model.safetensors").values()} == {torch.bfloat16}
    assert loaded(tmp_path / "out")[0].dtype == torch.bfloat16


def test_a_large_model_is_cut_into_shards(job, tmp_path, monkeypatch):
    """Above the shard size the weights come in several files with an index, and transformers still finds them all."""
    monkeypatch.setattr(exporting, "SHARD_BYTES", 20_000)
    model = checkpoint(job, 5)
    exporting.export(job.run, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("model-*-of-*.safetensors"))) > 3
    torch.testing.assert_close(loaded(tmp_path / "out")[0](TOKENS).logits, model(TOKENS), rtol=1e-5, atol=1e-5)


def test_a_tied_head_is_written_once(make_job, tmp_path):
    """With tied embeddings the head is left out and transformers ties it again."""
    job = make_job()
    model = job.plan.model.model_copy(update={"tied_embeddings": True})
    job = with_plan(type(job)(job.plan.model_copy(update={"model": model}), job.run, job.root, 1))
    trained = checkpoint(job, 5)
    exporting.export(job.run, tmp_path / "out")
    assert "lm_head.weight" not in load_file(tmp_path / "out" / "model.safetensors")
    torch.testing.assert_close(loaded(tmp_path / "out")[0](TOKENS).logits, trained(TOKENS), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(load_exported(job.plan, tmp_path / "out")(TOKENS), trained(TOKENS))


def test_a_model_that_no_class_computes_is_refused(make_job, tmp_path):
    """A soft cap is in no class of transformers that we write: nothing is written."""
    job = make_job()
    model = job.plan.model.model_copy(update={"logit_softcap": 30.0})
    job = with_plan(type(job)(job.plan.model_copy(update={"model": model}), job.run, job.root, 1))
    checkpoint(job, 5)
    with pytest.raises(InputError, match="TW847"):
        exporting.export(job.run, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_checkpoint_is_passed_over_and_named(job, tmp_path):
    """The newest one whose hashes are right is exported, and the report says why not the newest."""
    model = checkpoint(job, 5)
    checkpoint(job, 9)
    path = job.run.checkpoints / "step-00000009" / "engine" / "mp_rank_00_model_states.pt"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    done = exporting.export(job.run, tmp_path / "out")
    assert done.step == 5
    assert "step-00000009" in done.damaged[0]
    torch.testing.assert_close(loaded(tmp_path / "out")[0](TOKENS).logits, model(TOKENS), rtol=1e-5, atol=1e-5)


def test_nothing_sound_or_no_room_is_refused(job, tmp_path):
    """No checkpoint, no run folder, an existing target: each has its code, and nothing is written."""
    with pytest.raises(InputError, match="TW841"):
        exporting.export(job.run, tmp_path / "out")
    with pytest.raises(InputError, match="TW881"):
        exporting.export(type(job.run)(tmp_path / "none"), tmp_path / "out")
    checkpoint(job, 5)
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="TW842"):
        exporting.export(job.run, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_failed_export_leaves_nothing(job, tmp_path, monkeypatch):
    """When writing fails on the way, neither the target nor a draft stays."""
    checkpoint(job, 5)

    def refuse(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(exporting, "write_atomically", refuse)
    with pytest.raises(OSError, match="No space"):
        exporting.export(job.run, tmp_path / "target" / "out")
    assert list((tmp_path / "target").iterdir()) == []


def test_the_same_checkpoint_gives_the_same_bytes(job, tmp_path):
    """Exporting twice gives identical folders."""
    checkpoint(job, 5)
    for name in ("one", "two"):
        exporting.export(job.run, tmp_path / name)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    assert json.loads((tmp_path / "one" / "config.json").read_text())["num_key_value_heads"] == 2

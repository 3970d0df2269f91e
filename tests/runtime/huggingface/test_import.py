"""Import: a Hugging Face Llama continues as ours with the same logits; anything else is refused before it is copied."""

import json
import os
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from trainwright.runtime.huggingface.import_ import import_model
from trainwright.runtime.huggingface.initial_weights import open_initial_weights, stage_initial_weights
from trainwright.runtime.huggingface.read_config import read_model
from trainwright.runtime.model.llama import Llama, build
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.problem import InputError

TOKENS = torch.randint(3, 320, (2, 24), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def theirs(make_plan):
    """A model of transformers with the sizes of the small plan."""
    return hugging_face(make_plan().model)


def hugging_face(model, **changes):
    """A randomly initialised LlamaForCausalLM."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    sizes = {
        "vocab_size": model.vocab_size,
        "hidden_size": model.hidden_size,
        "intermediate_size": model.ffn_size,
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "rms_norm_eps": model.norm_eps,
    }
    return LlamaForCausalLM(LlamaConfig(**sizes | changes))


@pytest.fixture
def source(theirs, tmp_path) -> Path:
    """Its checkpoint, as transformers saves it."""
    theirs.save_pretrained(tmp_path / "source")
    return tmp_path / "source"


def test_a_run_begins_with_the_imported_logits(make_job, theirs, source):
    """From transformers' folder through import and prepare to the training model: the same logits."""
    job = make_job()
    done = import_model(source, job.root / "imported")
    plan = job.plan.model_copy(update={"model": done.model.model_copy(update={"init_from": "imported"})})
    job.run.path.mkdir()
    stage_initial_weights(plan, job.run, job.root)
    shutil.rmtree(job.root / "imported")
    stage_initial_weights(plan, job.run, job.root)
    ours = build(partial(Llama, plan.model, given=open_initial_weights(plan, job.run)), "cpu", seed=1)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS).logits, rtol=1e-5, atol=1e-5)


def test_staged_weights_are_those_that_the_spec_names_now(make_job, theirs, source):
    """Staged from A, then the spec says B, then B is replaced: the run begins with what is there when it starts."""
    job, trained = make_job(), []
    job.run.path.mkdir()
    for name, scale in (("a", 1.0), ("b", 2.0), ("b", 3.0)):
        with torch.no_grad():
            theirs.lm_head.weight.fill_(scale)
        theirs.save_pretrained(source)
        shutil.rmtree(job.root / name, ignore_errors=True)
        done = import_model(source, job.root / name)
        plan = job.plan.model_copy(update={"model": done.model.model_copy(update={"init_from": name})})
        stage_initial_weights(plan, job.run, job.root)
        ours = build(partial(Llama, plan.model, given=open_initial_weights(plan, job.run)), "cpu", seed=1)
        trained.append(ours.lm_head.weight.unique().tolist())
    assert trained == [[1.0], [2.0], [3.0]]


def test_sharded_and_tied_checkpoints_are_read(make_plan, tmp_path):
    """Several files and a head that is not written: both are as transformers saves them."""
    model = hugging_face(make_plan().model, tie_word_embeddings=True)
    model.save_pretrained(tmp_path / "source", max_shard_size="20KB")
    assert len(list((tmp_path / "source").glob("*.safetensors"))) > 1
    done = import_model(tmp_path / "source", tmp_path / "out")
    assert done.model.tied_embeddings
    plan = make_plan().model_copy(update={"model": done.model.model_copy(update={"init_from": "x"})})
    weights = import_weights(tmp_path / "out", plan.model)
    ours = build(partial(Llama, plan.model, given=weights), "cpu", seed=1)
    torch.testing.assert_close(ours(TOKENS), model(TOKENS).logits, rtol=1e-5, atol=1e-5)


def import_weights(folder: Path, model):
    """The checked weights of an imported folder."""
    from trainwright.runtime.huggingface.import_ import check_weights

    return check_weights(folder, model)


def change(folder: Path, **changes: object) -> None:
    """Edit config.json."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "gemma2"}, "model_type is 'gemma2'"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu'"),
        ({"attention_bias": True}, "attention_bias is True"),
        ({"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5}}, "factor"),
        ({"num_hidden_layers": 3}, "model.layers.2.input_layernorm.weight is missing"),
        ({"intermediate_size": 65}, "has shape [64, 32] instead of [65, 32]"),
        ({"num_hidden_layers": None}, "layers"),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor is 0.5"),
        ({"head_dim": 16}, "q_proj.weight has shape [32, 32] instead of [64, 32]"),
        ({"quantization_config": {"bits": 4}}, "the meaning of quantization_config is not known"),
        ({"residual_multiplier": 0.5}, "the meaning of residual_multiplier is not known"),
        ({"rope_parameters": 3}, "its positions are 3"),
        ({"hidden_size": "x", "head_dim": 8}, "hidden_size"),
    ],
)
def test_what_we_cannot_train_is_refused(source, tmp_path, changes, says):
    """The reason is named, and nothing is written."""
    change(source, **changes)
    with pytest.raises(InputError) as refused:
        import_model(source, tmp_path / "out")
    assert says in str(refused.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["unknown", "bias", "nan", "integer", "fp8"])
def test_tensors_that_are_no_weights_of_ours_are_refused(source, tmp_path, kind):
    """Scales, biases, NaN and integers would be dropped or trained with in silence."""
    tensors = load_file(source / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    extra = {"unknown": f"{name}_scale", "bias": name.replace("weight", "bias")}
    if kind in extra:
        tensors[extra[kind]] = torch.ones(1)
    elif kind == "nan":
        tensors[name][0, 0] = float("nan")
    else:
        tensors[name] = tensors[name].to(torch.int8 if kind == "integer" else torch.float8_e4m3fn)
    save_file(tensors, source / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match="TW884"):
        import_model(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.model"])
@pytest.mark.parametrize("kind", ["pipe", "folder", "device", "huge", "nested"])
def test_a_hostile_folder_is_refused_at_once(source, tmp_path, name, kind):
    """Pipes do not hang, devices do not fill the memory, and nothing ends with a traceback."""
    path = source / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "huge":
        path.touch()
        os.truncate(path, 2**40)
    else:
        path.write_text("[" * 100_000)
    with pytest.raises(InputError, match="TW8"):
        import_model(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_weights_keep_their_tokenizer(make_job, source):
    """A run that begins from weights uses the tokenizer that came with them, by content."""
    job = make_job()
    make_tokenizer(job, lambda _: None)
    shutil.copy(job.run.tokenizer, source / "tokenizer.model")
    import_model(source, job.root / "imported")
    model = job.plan.model.model_copy(update={"init_from": "imported"})
    plan = job.plan.model_copy(update={"model": model})
    with pytest.raises(InputError, match="TW886"):
        stage_initial_weights(plan, job.run, job.root)
    given = plan.tokenizer.model_copy(update={"path": "imported/tokenizer.model"})
    stage_initial_weights(plan.model_copy(update={"tokenizer": given}), job.run, job.root)


def test_pickles_and_damage_are_refused(source, tmp_path):
    """A checkpoint without safetensors, or with half of one, is no checkpoint."""
    path = source / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match="TW884"):
        import_model(source, tmp_path / "out")
    path.rename(source / "pytorch_model.bin")
    with pytest.raises(InputError, match="TW884"):
        import_model(source, tmp_path / "out")
    with pytest.raises(InputError, match="TW883"):
        read_model(tmp_path)


def test_weights_of_another_model_are_refused(make_job, source):
    """The spec's sizes must be those of the weights that it begins from."""
    job = make_job()
    import_model(source, job.root / "imported")
    model = job.plan.model.model_copy(update={"init_from": "imported", "rope_theta": 5e5})
    job.run.path.mkdir()
    with pytest.raises(InputError, match="TW885"):
        stage_initial_weights(job.plan.model_copy(update={"model": model}), job.run, job.root)

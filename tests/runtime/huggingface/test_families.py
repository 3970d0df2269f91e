"""Every class of transformers that an export can be written for: the same logits in both directions."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
import transformers
from safetensors.torch import load_file

from trainwright.runtime.huggingface.export import write_weights
from trainwright.runtime.huggingface.import_ import check_weights
from trainwright.runtime.huggingface.model_files import config as config_json
from trainwright.runtime.huggingface.read_config import read_model
from trainwright.runtime.model.llama import Llama, build
from trainwright.spec.model_family import FAMILIES, family_of
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Model

SIZES = {"layers": 4, "hidden_size": 48, "ffn_size": 96, "heads": 6, "kv_heads": 2, "vocab_size": 101}
COMMON = {
    "vocab_size": 101,
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 4,
    "rms_norm_eps": 1e-5,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": None,
}
THETA = {"rope_theta": 10000.0}
PLAIN = {"rope_type": "default", **THETA}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, **THETA}
LLAMA3 = YARN | {"rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}
TURNS = ["sliding_attention", "full_attention"] * 2  # layer by layer
FULL = {"qk_norm": "full", "norm_after": True}
YARN_4 = {"kind": "yarn", "factor": 4, "original_context": 32}
LLAMA3_4 = {
    "kind": "llama3",
    "factor": 4,
    "original_context": 32,
    "low_frequency_factor": 1,
    "high_frequency_factor": 4,
}
WINDOWS = {"sliding_window": 5, "full_attention_every": 2}
THEIR_WINDOWS = {"sliding_window": 5, "use_sliding_window": True, "layer_types": TURNS}
# The class, what its config says, and what the spec says.
CASES = [
    ("Llama", {"rope_parameters": LLAMA3, "head_dim": 16}, {"head_size": 16, "rope_scaling": LLAMA3_4}),
    (
        "Llama",
        {"rope_parameters": {"rope_type": "linear", "factor": 4.0, **THETA}},
        {"rope_scaling": {"kind": "linear", "factor": 4}},
    ),
    ("Mistral", {"rope_parameters": YARN, "sliding_window": 6}, {"rope_scaling": YARN_4, "sliding_window": 6}),
    (
        "Ministral",
        {"rope_parameters": PLAIN, "head_dim": 10, "sliding_window": 5, "layer_types": TURNS},
        {"head_size": 10, **WINDOWS},
    ),
    ("Qwen2", {"rope_parameters": PLAIN}, {"qkv_biases": True}),
    (
        "Qwen3",
        {"rope_parameters": PLAIN, "head_dim": 16, **THEIR_WINDOWS},
        {"qk_norm": "head", "head_size": 16, **WINDOWS},
    ),
    ("Olmo2", {"rope_parameters": YARN}, {"rope_scaling": YARN_4, **FULL}),
    (
        "Olmo3",
        {
            "rope_parameters": {"full_attention": PLAIN, "sliding_attention": PLAIN},
            "sliding_window": 5,
            "layer_types": TURNS,
        },
        FULL | WINDOWS,
    ),
    ("SmolLM3", {"rope_parameters": PLAIN}, {"no_rope_every": 4, "tied_embeddings": True}),
    (
        "SmolLM3",
        {
            "rope_parameters": PLAIN,
            "no_rope_layers": [1, 0, 1, 0],
            "tie_word_embeddings": False,
            **THEIR_WINDOWS,
        },
        {"no_rope_every": 2, **WINDOWS},
    ),
]
IDS = torch.randint(0, 101, (2, 40), generator=torch.Generator().manual_seed(1))


def random_model(name: str, values: dict) -> torch.nn.Module:
    """A model of transformers whose norms and biases are random as well."""
    torch.manual_seed(0)
    settings = getattr(transformers, f"{name}Config")(**COMMON | values)
    model = getattr(transformers, f"{name}ForCausalLM")(settings).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, float(parameter.ndim == 1), 0.2)
    return model


@torch.no_grad()
@pytest.mark.parametrize(("name", "theirs", "ours"), CASES, ids=[f"{case[0]}-{'-'.join(case[2])}" for case in CASES])
def test_logits_are_the_same_both_ways(tmp_path, name, theirs, ours):
    """Their checkpoint is read as exactly our model, and what we write of it is loaded by them as the same class."""
    reference = random_model(name, theirs)
    reference.save_pretrained(tmp_path / "source")
    model, expected = read_model(tmp_path / "source"), reference(IDS).logits
    assert model == Model.model_validate(SIZES | ours)
    weights = check_weights(tmp_path / "source", model)
    own = build(partial(Llama, model, given=weights), "cpu", seed=1)
    torch.testing.assert_close(own(IDS), expected, rtol=1e-4, atol=1e-4)
    assert sum(weight.numel() for weight in own.parameters()) == model.shape.parameters
    family = family_of(model)
    assert family is not None
    (tmp_path / "out").mkdir()
    write_weights(tmp_path / "out", own.state_dict(), tied=model.tied_embeddings)
    (tmp_path / "out/config.json").write_text(json.dumps(config_json(model, family, 64, "float32", (1, 2))))
    assert read_model(tmp_path / "out") == model
    assert (
        load_file(tmp_path / "out/model.safetensors").keys() == load_file(tmp_path / "source/model.safetensors").keys()
    )
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
    assert type(again) is type(reference)
    torch.testing.assert_close(again(IDS).logits, expected, rtol=1e-5, atol=1e-5)


def test_every_family_is_tried():
    """Each class of the table has a case."""
    assert {case[0].lower() for case in CASES} == {family.model_type for family in FAMILIES}


@pytest.mark.parametrize(
    "changes",
    [
        {"qkv_biases": True, "qk_norm": "head"},
        {"norm_after": True},
        {"logit_softcap": 30.0},
        {"no_rope_every": 2, "qk_norm": "head"},
        {"rope_scaling": YARN_4, **FULL, **WINDOWS},
    ],
)
def test_a_model_that_no_class_computes_has_no_family(changes):
    """Nothing is exported as something that computes other logits."""
    assert family_of(Model.model_validate(SIZES | changes)) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "qwen3", "use_sliding_window": True, "max_window_layers": 2}, "are not every n-th"),
        ({"model_type": "smollm3", "no_rope_layers": [0, 1, 1, 0]}, "are not every n-th"),
        ({"model_type": "smollm3", "no_rope_layers": [1]}, "does not say 0 or 1 for each layer"),
        ({"model_type": "ministral", "layer_types": ["chunked_attention"] * 4}, "layer_types does not name"),
        ({"model_type": "ministral", "layer_types": 3}, "not known without layer_types"),
        ({"model_type": "ministral", "num_hidden_layers": 10**15}, "not known without layer_types"),
        ({"model_type": "qwen2", "use_sliding_window": True, "max_window_layers": "x"}, "not supported between"),
        ({"model_type": "ministral", "layer_types": TURNS, "sliding_window": "x"}, "sliding_window is 'x'"),
        ({"model_type": "mistral", "layer_types": TURNS}, "the meaning of layer_types is not known"),
        ({"model_type": "olmo3", "rope_scaling": YARN}, "positions are scaled"),
        (
            {"model_type": "olmo3", "rope_parameters": {"full_attention": YARN, "sliding_attention": PLAIN}},
            "differ between layers",
        ),
        ({"rope_scaling": {"rope_type": "dynamic", "factor": 2.0}}, "positions are scaled"),
        ({"rope_scaling": YARN | {"mscale": 2.0}}, "positions are scaled"),
        ({"rope_scaling": YARN | {"truncate": False}}, "positions are scaled"),
        ({"rope_scaling": YARN | {"factor": "many"}}, "factor"),
        ({"rope_scaling": {"rope_type": ["yarn"]}}, "positions are scaled"),
        ({"sliding_window": 4}, "the meaning of sliding_window is not known"),
        ({"head_dim": 7}, "a head is odd"),
        ({"final_logit_softcapping": 30.0}, "the meaning of final_logit_softcapping is not known"),
    ],
)
def test_what_the_spec_cannot_say_is_refused(tmp_path, changes, says):
    """Each reason is named, in a sentence."""
    config = COMMON | {"model_type": "llama"} | changes
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="TW883") as refused:
        read_model(tmp_path)
    assert says in str(refused.value)


# config.json of public models, without the keys that change no number.
PUBLISHED = {
    "llama3.1-8b": {
        "model_type": "llama",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "rms_norm_eps": 1e-05,
        "rope_theta": 500000.0,
        "attention_bias": False,
        "pretraining_tp": 1,
        "max_position_embeddings": 131072,
        "rope_scaling": {
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "rope_type": "llama3",
            "original_max_position_embeddings": 8192,
        },
    },
    "mistral-7b-v0.1": {
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32000,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "sliding_window": 4096,
        "max_position_embeddings": 32768,
    },
    "mistral-7b-v0.3": {
        "model_type": "mistral",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 32768,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "sliding_window": None,
        "max_position_embeddings": 32768,
    },
    "qwen3-0.6b": {
        "model_type": "qwen3",
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "vocab_size": 151936,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000,
        "rope_scaling": None,
        "sliding_window": None,
        "use_sliding_window": False,
        "max_window_layers": 28,
        "head_dim": 128,
        "attention_bias": False,
        "tie_word_embeddings": True,
    },
    "olmo2-7b": {
        "model_type": "olmo2",
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "vocab_size": 100352,
        "rms_norm_eps": 1e-06,
        "rope_theta": 500000,
        "rope_scaling": None,
        "attention_bias": False,
        "tie_word_embeddings": False,
    },
    "smollm3-3b": {
        "model_type": "smollm3",
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "vocab_size": 128256,
        "rms_norm_eps": 1e-06,
        "rope_theta": 5000000.0,
        "rope_scaling": None,
        "sliding_window": None,
        "use_sliding_window": False,
        "no_rope_layer_interval": 4,
        "no_rope_layers": [1, 1, 1, 0] * 9,
        "layer_types": ["full_attention"] * 36,
        "max_window_layers": 28,
        "pretraining_tp": 2,
        "mlp_bias": False,
        "tie_word_embeddings": True,
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_config_is_its_preset(tmp_path, name):
    """The config.json of a public model is read as exactly the preset of that name."""
    from trainwright.compiler.load.presets import presets

    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED[name]))
    assert read_model(tmp_path) == Model.model_validate(presets("model")[name].values)

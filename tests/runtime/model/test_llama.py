"""The model is Llama: same sizes, same logits as Hugging Face's, same numbers under every way to save memory."""

from functools import partial

import pytest
import torch

from trainwright.runtime.model.document_mask import Documents
from trainwright.runtime.model.llama import Llama, build
from trainwright.spec.sections import Model

SMALL = Model(layers=2, hidden_size=48, ffn_size=96, heads=6, kv_heads=2, vocab_size=101)
LLAMA2 = {
    6_738_415_616: (32, 4096, 11008, 32, 32),
    13_015_864_320: (40, 5120, 13824, 40, 40),
    33_743_970_304: (48, 8192, 22016, 64, 8),
    68_976_648_192: (80, 8192, 28672, 64, 8),
}


def tokens(batch: int = 3, time: int = 17) -> torch.Tensor:
    """Seeded random tokens of the small model."""
    return torch.randint(0, 101, (batch, time), generator=torch.Generator().manual_seed(1))


def sizes(layers: int, hidden: int, ffn: int, heads: int, kv_heads: int) -> Model:
    """A model with Llama 2's vocabulary."""
    return Model(layers=layers, hidden_size=hidden, ffn_size=ffn, heads=heads, kv_heads=kv_heads, vocab_size=32000)


@pytest.mark.parametrize(("count", "shape"), LLAMA2.items())
def test_parameter_counts_are_those_of_llama_2(count, shape):
    """Each published size has exactly the published model's number of parameters, and the spec's arithmetic agrees."""
    model = sizes(*shape)
    with torch.device("meta"):
        built = sum(weight.numel() for weight in Llama(model).parameters())
    assert (count, count) == (built, model.shape.parameters)


def hugging_face(model: Model) -> torch.nn.Module:
    """The same architecture by the reference library, randomly initialised."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=model.vocab_size,
            hidden_size=model.hidden_size,
            intermediate_size=model.ffn_size,
            num_hidden_layers=model.layers,
            num_attention_heads=model.heads,
            num_key_value_heads=model.kv_heads,
            rms_norm_eps=model.norm_eps,
            rope_theta=model.rope_theta,
            tie_word_embeddings=model.tied_embeddings,
        )
    )


@pytest.mark.parametrize("tied", [False, True])
def test_logits_equal_transformers(tied):
    """Weights of Hugging Face's Llama load without renaming and give its logits and its loss."""
    model = SMALL.model_copy(update={"tied_embeddings": tied})
    theirs = hugging_face(model)
    ours = Llama(model)
    ours.load_state_dict(theirs.state_dict())
    expected = theirs(tokens()).logits
    torch.testing.assert_close(ours(tokens()), expected, rtol=1e-5, atol=1e-5)
    loss = torch.nn.functional.cross_entropy(expected[:, :-1].flatten(0, 1), tokens()[:, 1:].flatten())
    torch.testing.assert_close(ours(tokens()[:, :-1], tokens()[:, 1:]), loss)


def gradients(model: Llama) -> list[torch.Tensor]:
    """The loss and the gradient of every weight."""
    loss = model(tokens()[:, :-1], tokens()[:, 1:])
    loss.backward()
    return [loss.detach(), *(weight.grad for weight in model.parameters())]


@pytest.mark.parametrize("kind", ["selective", "full"])
def test_recomputation_changes_no_number(kind):
    """Activation checkpointing gives bit-identical losses and gradients."""
    plain = gradients(build(partial(Llama, SMALL), "cpu", seed=3))
    saving = gradients(build(partial(Llama, SMALL, activation_checkpointing=kind), "cpu", seed=3))
    assert all(torch.equal(a, b) for a, b in zip(plain, saving, strict=True))


@pytest.mark.parametrize("kind", ["selective", "full"])
def test_recomputation_keeps_fewer_tensors(kind):
    """What the backward pass keeps shrinks: selective less than none, full less still."""

    def kept(**options) -> int:
        model, total = build(partial(Llama, SMALL, **options), "cpu", seed=3), 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            model(tokens()[:, :-1], tokens()[:, 1:])
        return total

    assert kept(activation_checkpointing=kind) < 0.8 * kept()


def test_attention_inside_documents_equals_separate_documents():
    """With document numbers, a packed row gives the logits of its documents run alone."""
    model = build(partial(Llama, SMALL), "cpu", seed=5)
    first, second = tokens(1, 7), tokens(1, 12)
    packed = torch.cat((first, second), dim=1)
    documents = Documents.numbered(torch.tensor([[0] * 7 + [1] * 12]))
    positions = torch.cat((torch.arange(7), torch.arange(12)))
    apart = torch.cat((model(first), model(second)), dim=1)
    together = model(packed, positions=positions, documents=documents)
    torch.testing.assert_close(together, apart, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(model(packed), apart, atol=1e-3)


def test_initialisation_depends_on_the_seed_alone():
    """The same seed gives the same weights, another seed others; output projections are scaled down by depth."""
    model = sizes(8, 64, 128, 4, 4)
    first, again, other = (build(partial(Llama, model), "cpu", seed=seed).state_dict() for seed in (1, 1, 2))
    name = "model.layers.3.mlp.down_proj.weight"
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first[name], other[name])
    assert first[name].std().item() == pytest.approx(0.02 / 4, rel=0.05)
    assert first["model.layers.3.mlp.up_proj.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert torch.equal(first["model.norm.weight"], torch.ones(64))

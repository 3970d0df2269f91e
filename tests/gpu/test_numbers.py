"""A GPU computes what the CPU computes, to the rounding of its types, and the same bits where that is promised."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch

from trainwright.runtime.model.counter_normal import fill_normal
from trainwright.runtime.model.document_mask import Documents
from trainwright.runtime.model.llama import Llama
from trainwright.runtime.train.deterministic import use_deterministic_kernels
from trainwright.spec.sections import Model

MODEL = Model(layers=2, hidden_size=256, ffn_size=688, heads=4, kv_heads=2, vocab_size=512)
TOKENS = torch.arange(4 * 256).view(4, 256) * 7919 % MODEL.vocab_size
DOCUMENTS = Documents.numbered(torch.arange(256).div(100, rounding_mode="floor").expand(4, 256).contiguous())
NATS = 2e-3  # bf16 has 8 bits; the mean over 1,024 tokens
SHARE = 4e-2  # of a gradient's norm; a CPU's own bf16 is off by 0.7 to 1.2% here


@pytest.fixture(scope="module")
def model() -> Llama:
    """A small model with its first weights, in fp32 on the CPU."""
    torch.manual_seed(0)
    model = Llama(MODEL)
    model.initialize(1)
    return model


def loss_and_gradients(model: Llama, device: torch.device, documents: Documents | None = None):
    """Of a copy on a device; on a GPU in bf16, as it is trained there."""
    copy = deepcopy(model).to(device, torch.bfloat16 if device.type == "cuda" else torch.float32)
    if documents is not None:
        documents = documents.moved(lambda tensor: tensor.to(device))
    tokens = TOKENS.to(device)
    loss = copy(tokens, tokens.roll(-1, 1), documents=documents)
    loss.backward()
    return loss.item(), {name: weight.grad.float().cpu() for name, weight in copy.named_parameters()}


def test_first_weights_are_the_same_bits(gpu):
    """A weight is a function of seed and place, whatever draws it."""
    drawn = [torch.empty(3, 2**15, device=device) for device in ("cpu", gpu)]
    for weight in drawn:
        fill_normal(weight, 0.02, 7)
    assert torch.equal(drawn[0], drawn[1].cpu())


@pytest.mark.parametrize("documents", [None, DOCUMENTS], ids=["across", "within"])
def test_loss_and_gradients_are_those_of_the_cpu(gpu, model, documents):
    """With flash attention, of whole rows and of documents with grouped queries."""
    loss, gradients = loss_and_gradients(model, gpu, documents)
    wanted, right = loss_and_gradients(model, torch.device("cpu"), documents)
    assert loss == pytest.approx(wanted, abs=NATS)
    far = {name: (gradients[name] - right[name]).norm() / right[name].norm() for name in right}
    assert {name: float(share) for name, share in far.items() if share > SHARE} == {}


def test_compiled_functions_change_no_more_than_rounding(gpu, model):
    """Triton's kernels for rotary positions and SwiGLU's product."""
    compiled = deepcopy(model)
    compiled.compile_functions()
    (loss, _), (wanted, _) = loss_and_gradients(compiled, gpu), loss_and_gradients(model, gpu)
    assert loss == pytest.approx(wanted, abs=NATS)


def test_deterministic_kernels_give_the_same_bits_twice(gpu, model):
    """`training.deterministic`: every gradient."""
    use_deterministic_kernels()
    try:
        (loss, gradients), (again, same) = (loss_and_gradients(model, gpu, DOCUMENTS) for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(mode=False)
    assert loss == again
    assert [name for name in gradients if not torch.equal(gradients[name], same[name])] == []

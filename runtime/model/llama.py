"""The Llama architecture: a spec's sizes in, logits or the training loss out.

Notable: RMSNorm before each block, rotary positions, SwiGLU, grouped-query attention, no biases (Llama 2, section 2.2,
arXiv 2307.09288); what later models changed is off unless the spec says so. Submodules bear the names of Hugging Face's
classes (`spec/model_family.py`), so export is a plain copy and DeepSpeed's tensor
parallelism finds what it shards; the number of heads is read off the projected tensor, so a module works on its share.
No buffers: rotary angles are computed from positions in fp32, so a cast of the module to bf16 cannot spoil them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own idiom
from torch import Tensor, nn

from ...spec.layout import ActivationCheckpointing
from ...spec.sections import Model
from .attention import causal_attention
from .counter_normal import fill_normal
from .document_mask import Documents
from .lm_head import Head, borrow_weight
from .norm_rope import Angles, Norm, rotary_angles, rotate
from .pipeline_stage import PipelineStage, TiedStages
from .self_attention import Attention, SelfAttention, recomputed, unchanged

# What weights are kept in, by the spec's name for it.
TORCH_DTYPE = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}

# The weight of a name, to begin from instead of a random one.
InitialWeights = Callable[[str], Tensor]


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """The product of SwiGLU (arXiv 2002.05202): two of [..., ffn] -> one."""
    return F.silu(gate) * up


class FeedForward(nn.Module):
    """SwiGLU: [batch, time, hidden] -> [batch, time, hidden]."""

    def __init__(self, model: Model, *, recompute: bool) -> None:
        super().__init__()
        self.gated: Callable[[Tensor, Tensor], Tensor] = gated
        self.recompute = recompute
        self.enter: Callable[[Tensor], Tensor] = unchanged
        self.gate_proj = nn.Linear(model.hidden_size, model.ffn_size, bias=False)
        self.up_proj = nn.Linear(model.hidden_size, model.ffn_size, bias=False)
        self.down_proj = nn.Linear(model.ffn_size, model.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Gate, multiply, project back."""
        x = self.enter(x)
        gate, up = self.gate_proj(x), self.up_proj(x)
        return recomputed(self._shrink, gate, up) if self.recompute else self._shrink(gate, up)

    def _shrink(self, gate: Tensor, up: Tensor) -> Tensor:
        return self.down_proj(self.gated(gate, up))


class Layer(nn.Module):
    """One transformer layer with its two residual branches."""

    def __init__(self, model: Model, attention: Attention, checkpointing: ActivationCheckpointing, number: int) -> None:
        super().__init__()
        selective = checkpointing == "selective"
        self.whole = checkpointing == "full"
        norms = (Norm(model.hidden_size, model.norm_eps) for _ in range(2))
        self.input_layernorm = nn.Identity() if model.norm_after else next(norms)
        self.self_attn = SelfAttention(model, attention, number, recompute=selective)
        self.post_attention_layernorm = next(norms)
        self.mlp = FeedForward(model, recompute=selective)
        self.post_feedforward_layernorm = next(norms) if model.norm_after else None

    def forward(self, x: Tensor, angles: Angles, documents: Documents | None) -> Tensor:
        """[batch, time, hidden] -> the same shape."""
        if self.whole:
            return recomputed(self._branches, x, angles, documents)
        return self._branches(x, angles, documents)

    def _branches(self, x: Tensor, angles: Angles, documents: Documents | None) -> Tensor:
        if self.post_feedforward_layernorm is not None:
            x = x + self.post_attention_layernorm(self.self_attn(x, angles, documents))
            return x + self.post_feedforward_layernorm(self.mlp(x))
        x = x + self.self_attn(self.input_layernorm(x), angles, documents)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Embedding, layers and the last norm, or a pipeline stage's part of these, under the names of the whole.

    Tokens [batch, time], on later stages hidden states -> hidden states [batch, time, hidden].
    """

    def __init__(
        self, model: Model, attention: Attention, checkpointing: ActivationCheckpointing, stage: PipelineStage
    ) -> None:
        super().__init__()
        self.sizes = model
        self.embed_tokens = nn.Embedding(model.vocab_size, model.hidden_size) if stage.first else None
        numbers = stage.layers(model.shape)
        self.layers = nn.ModuleDict({str(number): Layer(model, attention, checkpointing, number) for number in numbers})
        self.norm = Norm(model.hidden_size, model.norm_eps) if stage.last else None

    def forward(self, x: Tensor, positions: Tensor | None, documents: Documents | None) -> Tensor:
        """Positions count from zero unless given."""
        if positions is None:
            positions = torch.arange(x.shape[1], device=x.device)
        angles = rotary_angles(positions, self.sizes.shape.head_size, self.sizes.rope_theta, self.sizes.rope_scaling)
        if self.embed_tokens is not None:
            x = self.embed_tokens(x)
        for layer in self.layers.values():
            x = layer(x, angles, documents)
        return x if self.norm is None else self.norm(x)


WHOLE = PipelineStage()


class Llama(nn.Module):
    """A Llama-family language model, or one pipeline stage of it.

    `activation_checkpointing` trades time for memory in the backward pass: `selective` recomputes rotary positions,
    the attention core (arXiv 2205.05198, section 5) and the gate's product, and keeps every projection's result; `full`
    keeps only the input of each layer. Weights come from `initialize` or a checkpoint; the constructor works on any
    device, `meta` included.
    """

    def __init__(
        self,
        model: Model,
        attention: Attention = causal_attention,
        activation_checkpointing: ActivationCheckpointing = "none",
        given: InitialWeights | None = None,
        stage: PipelineStage = WHOLE,
    ) -> None:
        super().__init__()
        self.given = given
        self.sizes = model
        self.stage = stage
        self.model = Decoder(model, attention, activation_checkpointing, stage)
        self.lm_head = Head(model.hidden_size, model.vocab_size, model.logit_softcap) if stage.last else None
        self.tied_stages: TiedStages | None = None
        self.tie()

    def forward(
        self,
        x: Tensor,
        targets: Tensor | None = None,
        positions: Tensor | None = None,
        documents: Documents | None = None,
    ) -> Tensor:
        """Logits [batch, time, vocabulary], or with `targets` [rows, time] the mean loss in nats per token.

        Targets of fewer rows than `x` leave the later ones out of the loss.

        `x` are tokens [batch, time]; a later stage takes the hidden states of the one before, and all but the last
        give hidden states [batch, time, hidden].
        `positions` [time] are the places of `tokens` in the sequence where a rank holds only a part of it;
        `documents` are those of the whole sequences, to keep attention inside of each.
        """
        hidden = self.model(x, positions, documents)
        if self.lm_head is None:
            return hidden
        return self.lm_head(hidden if targets is None else hidden[: len(targets)], targets)

    def tie(self) -> None:
        """Make the head and the embedding one parameter where the spec says so; the last of several stages has none."""
        if not self.sizes.tied_embeddings or self.lm_head is None:
            return
        if self.model.embed_tokens is not None:
            self.lm_head.weight = self.model.embed_tokens.weight
        elif "weight" not in dict(self.lm_head.named_buffers()):
            borrow_weight(self.lm_head)

    def compile_functions(self) -> None:
        """Compile what owns no parameters: one graph a function for all layers, in every layout.

        A whole layer would be no one graph where weights (ZeRO-3) or activations (tensor parallelism, Ulysses) travel.
        """
        compiled_rotate, compiled_gated = torch.compile(rotate, dynamic=False), torch.compile(gated, dynamic=False)
        for module in self.modules():
            if isinstance(module, SelfAttention) and module.rotate is rotate:
                module.rotate = compiled_rotate
            elif isinstance(module, FeedForward):
                module.gated = compiled_gated

    @torch.no_grad()
    def initialize(self, seed: int, weights: Iterable[tuple[str, Tensor]] | None = None) -> None:
        """Fill every weight: as given, or with numbers of its own, so that nothing but the seed matters.

        `weights` are all parameters in order, where they are not simply here but come one at a time from their shards.

        Norms are one, biases zero, matrices normal with the spec's `init_std`. The paper does not state its
        initialisation; the two projections that end a residual branch are scaled by 1 / sqrt(2 layers), as OPT (arXiv
        2205.01068, section 2.2).
        """
        branch_end = self.sizes.init_std / (2 * self.sizes.layers) ** 0.5
        for index, (name, weight) in enumerate(weights or self.named_parameters(), self._before):
            if self.given is not None:
                weight.copy_(self.given(name))
            elif weight.ndim == 1:
                weight.fill_(0.0 if name.endswith(".bias") else 1.0)
            else:
                is_end = name.endswith(("o_proj.weight", "down_proj.weight"))
                fill_normal(weight, branch_end if is_end else self.sizes.init_std, (seed << 20) + index)

    @property
    def _before(self) -> int:
        """Parameters of the whole model that come before this stage's: the embedding and those of earlier layers."""
        if self.stage.first:
            return 0
        numbers = self.stage.layers(self.sizes.shape)
        return 1 + numbers.start * len([*self.model.layers[str(numbers.start)].parameters()])


def build(
    llama: Callable[[], Llama], device: torch.device | str, seed: int, kind: torch.dtype = torch.float32
) -> Llama:
    """An initialised model of type `kind` on `device`: no copy in another type, no default initialisation before."""
    with torch.device("meta"):
        model = llama().to(kind)
    model.to_empty(device=device)
    model.tie()
    model.initialize(seed)
    return model

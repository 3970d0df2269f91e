"""litgpt: its GPT as a Llama, trained as by `litgpt pretrain`: Lightning Fabric, fused AdamW. BUNDLE RUN STEPS."""

import lightning
import torch
from batches import arguments, batch, groups
from litgpt import GPT, Config
from litgpt.utils import chunked_cross_entropy
from timing import Clock

from trainwright.spec.position import learning_rate
from trainwright.spec.sections import Model


def llama(model: Model) -> Config:
    """The plan's model in litgpt's terms."""
    return Config(
        block_size=1024,
        vocab_size=model.vocab_size,
        padded_vocab_size=model.vocab_size,
        n_layer=model.layers,
        n_head=model.heads,
        n_query_groups=model.kv_heads,
        n_embd=model.hidden_size,
        intermediate_size=model.ffn_size,
        rotary_percentage=1.0,
        parallel_residual=False,
        bias=False,
        norm_class_name="RMSNorm",
        norm_eps=model.norm_eps,
        mlp_class_name="LLaMAMLP",
    )


def main() -> None:
    """Train and report."""
    plan, data, steps = arguments()
    settings = plan.training.optimizer
    fabric = lightning.Fabric(accelerator="cpu", devices=1, precision="32-true")
    model = GPT(llama(plan.model))
    model.max_seq_length = plan.training.sequence_length
    model = fabric.setup(model)
    betas = (settings.beta1, settings.beta2)
    optimizer = torch.optim.AdamW(groups(model, settings.weight_decay), betas=betas, eps=settings.eps, fused=True)
    optimizer = fabric.setup_optimizers(optimizer)
    clock, losses = Clock(), []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step + 1, settings, plan.schedule)
        tokens, targets = batch(data, step)
        loss = chunked_cross_entropy(model(tokens), targets)
        fabric.backward(loss)
        fabric.clip_gradients(model, optimizer, max_norm=settings.gradient_clip)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        clock.step()
    clock.report(losses)


if __name__ == "__main__":
    main()

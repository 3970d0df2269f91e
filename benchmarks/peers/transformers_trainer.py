"""transformers: LlamaForCausalLM under its Trainer, with fused AdamW, logging every step. BUNDLE RUN STEPS."""

import tempfile

import torch
from batches import arguments, batch
from timing import Clock
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainerCallback, TrainingArguments

from trainwright.runtime.data.dataset import Dataset
from trainwright.runtime.huggingface.model_files import config


class Samples(torch.utils.data.Dataset):
    """The run's samples in the run's order; the Trainer shifts the labels itself."""

    def __init__(self, data: Dataset, count: int) -> None:
        rows = [batch(data, step) for step in range(count)]
        self.tokens = torch.cat([torch.cat((tokens, targets[:, -1:]), dim=1) for tokens, targets in rows])

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.tokens[index], "labels": self.tokens[index]}


class Steps(TrainerCallback):
    """Times each optimizer step."""

    def on_train_begin(self, *_: object, **__: object) -> None:
        """Start the clock."""
        self.clock = Clock()

    def on_step_end(self, *_: object, **__: object) -> None:
        """A step has ended."""
        self.clock.step()


class InOrder(Trainer):
    """The Trainer, reading the samples in the given order."""

    def _get_train_sampler(self, *_: object) -> torch.utils.data.Sampler:
        return torch.utils.data.SequentialSampler(self.train_dataset)


def main() -> None:
    """Train and report."""
    plan, data, steps = arguments()
    optimizer, schedule = plan.training.optimizer, plan.schedule
    sizes = config(plan.model, plan.training.sequence_length + 1, "float32", (1, 2))
    sizes.pop("architectures")
    model = LlamaForCausalLM(LlamaConfig(**sizes, use_cache=False))
    settings = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=plan.layout.micro_batch,
        max_steps=steps,
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": optimizer.final_share},
        warmup_steps=schedule.warmup_steps,
        weight_decay=optimizer.weight_decay,
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        adam_epsilon=optimizer.eps,
        max_grad_norm=optimizer.gradient_clip,
        optim="adamw_torch_fused",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        use_cpu=True,
        disable_tqdm=True,
        dataloader_num_workers=0,
    )
    steps_seen = Steps()
    trainer = InOrder(model, settings, train_dataset=Samples(data, steps), callbacks=[steps_seen])
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    steps_seen.clock.report([float(loss) for loss in losses])


if __name__ == "__main__":
    main()

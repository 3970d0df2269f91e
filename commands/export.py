"""`trainwright export`: a run's weights and tokenizer in the Hugging Face Llama layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..spec.run_folder import RunFolder


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write; must not exist.")],
    prompt: Annotated[str | None, typer.Option(help="Text for the model to continue, as a first look at it.")] = None,
) -> None:
    """Write a run's weights in the Hugging Face Llama layout."""
    from ..runtime.huggingface.export import export

    done = export(RunFolder(run), out)
    for flaw in done.damaged:
        typer.echo(f"passed over: {flaw}", err=True)
    size = f"{done.parameters:,} parameters, {done.bytes / 1e6:,.1f} MB"
    typer.echo(f"{out}: step {done.step}, {size}; load it with transformers' AutoModelForCausalLM", err=True)
    if prompt is not None:
        _continue(run, out, prompt)


def _continue(run: Path, out: Path, prompt: str) -> None:
    from ..runtime.data.open_tokenizer import open_tokenizer
    from ..runtime.huggingface.sample import greedy_completion, load_exported
    from ..spec.plan import read_plan

    plan = read_plan(run)
    tokenizer = open_tokenizer(RunFolder(run).tokenizer)
    typer.echo(greedy_completion(load_exported(plan, out), tokenizer, prompt, context=plan.training.sequence_length))

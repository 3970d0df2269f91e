"""`trainwright import`: a Hugging Face checkpoint as the beginning of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with config.json and *.safetensors.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write, inside the project; must not exist.")],
) -> None:
    """Start from a Hugging Face checkpoint: Llama, Mistral, Qwen, OLMo or SmolLM3."""
    from ..runtime.huggingface.import_ import import_model

    done = import_model(source, out)
    typer.echo(f"# {out} holds {done.model.shape.parameters:,} parameters; put this into your spec:")
    sizes = done.model.model_dump(exclude={"name", "init_from"}, exclude_none=True)
    typer.echo(f"model: {_plain(sizes | {'init_from': str(out)})}")
    if done.tokenizer:
        typer.echo(f"tokenizer: {{vocab_size: {done.model.vocab_size}, path: {out}/{done.tokenizer}}}")
    else:
        typer.echo(
            "# It has no tokenizer: give tokenizer.path the tokenizer.model or tokenizer.json that it was trained with."
        )


def _plain(value: Any) -> str:
    """A value as a spec writes it, on one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_plain(inner)}' for key, inner in value.items())}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)

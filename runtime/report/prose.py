"""The report as Markdown that renders on GitHub: summary, tables, the loss curve, what is missing."""

from __future__ import annotations

from .layouts import markdown, markdown_text
from .numbers import BYTES, UNKNOWN, count, percent, significant, with_unit
from .tables import emissions, run_tables
from .values import Report, Run


def facts(run: Run) -> list[tuple[str, str]]:
    """The key facts of a run, in words, for every format that opens with them."""
    t = run.training
    return [
        ("status", run.status),
        ("model", run.model),
        ("devices", f"{run.devices if run.devices is not None else UNKNOWN} x {run.device}"),
        ("steps", f"{t.steps:,} of {f'{t.planned_steps:,}' if t.planned_steps else UNKNOWN}"),
        ("tokens", count(t.tokens)),
        ("training loss", significant(t.final_loss)),
        ("validation loss", significant(t.validation_loss)),
        ("validation perplexity", significant(t.validation_perplexity)),
        ("throughput", f"{count(t.tokens_per_second)} tokens/s" if t.tokens_per_second else UNKNOWN),
        ("MFU", percent(t.mfu)),
        ("peak memory", with_unit(t.peak_memory_bytes, BYTES)),
        ("energy metered", percent(run.measured_share)),
    ]


def report_markdown(report: Report, *, plots: bool) -> str:
    """The whole report as Markdown; `plots`: whether loss.png lies beside it."""
    parts = [
        f"# Training report: {markdown_text(', '.join(run.label for run in report.runs))}",
        "",
        markdown(emissions(report)),
    ]
    if plots:
        parts += ["![Training loss against processed tokens](loss.png)", ""]
    for run in report.runs:
        parts += [f"# {markdown_text(run.label)}", ""]
        parts += [f"- {name}: {markdown_text(value)}" for name, value in facts(run)]
        parts += ["", *(markdown(table) for table in run_tables(run))]
        if run.missing:
            parts += ["## Missing or left out", "", *(f"- {markdown_text(note)}" for note in run.missing), ""]
    return "\n".join([*parts, f"Written by {report.generator}."]) + "\n"

"""`trainwright presets`: the models, clusters and GPUs that a spec can name, with what they hold and their sources."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Literal

import typer

from ..compiler.help.presets import Row, catalogue

Kind = Literal["models", "clusters", "gpus"]

_Cells = dict[str, Callable[[Row], str]]


def _short(value: float | None, unit: str = "", billion: str = "G") -> str:
    """A large number with its letter, 6.7B or 300 GB/s; `-` when it is not known."""
    if value is None:
        return "-"
    letters = (("T", 1e12), (billion, 1e9), ("M", 1e6), ("k", 1e3))
    letter, factor = next(((letter, factor) for letter, factor in letters if value >= factor), ("", 1))
    return f"{value / factor:.4g}{' ' if unit else ''}{letter}{unit}"


def _gpu_power(row: Row) -> str:
    if row["power_default_watts"] is None:
        return "-"
    low, high = row["power_lowest_watts"], row["power_highest_watts"]
    return f"{row['power_default_watts']:g} W ({low:g}-{high:g})"


_COLUMNS: dict[str, _Cells] = {
    "models": {
        "model": lambda row: row["name"],
        "parameters": lambda row: _short(row["parameters"], billion="B"),
        "layers": lambda row: str(row["layers"]),
        "width": lambda row: str(row["hidden_size"]),
        "ffn": lambda row: str(row["ffn_size"]),
        "heads/kv": lambda row: f"{row['heads']}/{row['kv_heads']}",
        "vocabulary": lambda row: str(row["vocab_size"]),
    },
    "clusters": {
        "cluster": lambda row: row["name"],
        "gpu": lambda row: row["gpu"],
        "gpus": lambda row: str(row["gpus"]),
        "a node": lambda row: str(row["gpus_per_node"]),
        "cap": lambda row: row["power_cap"] or "-",
        "network": lambda row: f"{row['interconnect']} {row['bandwidth_per_gpu'] or ''}".strip(),
    },
    "gpus": {
        "gpu": lambda row: row["name"],
        "memory": lambda row: f"{row['memory_bytes'] / 2**30:.0f} GiB" if row["memory_bytes"] else "-",
        "bf16": lambda row: _short(row["bf16_flops"], "FLOP/s"),
        "memory rate": lambda row: _short(row["memory_bytes_per_second"], "B/s"),
        "link": lambda row: _short(row["link_bytes_per_second"] or None, "B/s"),
        "power (cap)": _gpu_power,
    },
}


def command(
    kind: Annotated[
        Kind | None, typer.Argument(metavar="KIND", help="models, clusters or gpus: one table only.")
    ] = None,
    format_: Annotated[
        Literal["text", "json"], typer.Option("--format", help="text, or json with the sources.")
    ] = "text",
    sources: Annotated[bool, typer.Option("--sources", help="Also where each comes from, and the date.")] = False,
) -> None:
    """List what a spec can name."""
    tables = {name: rows for name, rows in catalogue().items() if kind in (None, name)}
    if format_ == "json":
        print(json.dumps(tables, indent=2))
        return
    for name, rows in tables.items():
        _print(name, rows, sources=sources)


def _print(name: str, rows: list[Row], *, sources: bool) -> None:
    """One table, with where each row comes from when that is asked for."""
    columns = _COLUMNS[name]
    lines = [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    for row in rows if sources else ():
        assumed = f" (assumed: {row['assumed']})" if row.get("assumed") else ""
        print(f"  {row['name']}: {row['source']}{', ' + row['date'] if 'date' in row else ''}{assumed}")
    print()

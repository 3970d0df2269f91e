"""What a spec can name, as tables: models, clusters, devices and sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ...report.tables.cells import Cell, Table, quantity_cell, table, text
from ...spec.display_units import BYTE_RATES, BYTES, FLOP_RATES
from ...spec.number_text import UNKNOWN, count
from .presets import Row

TITLES = {"models": "Models", "clusters": "Clusters", "gpus": "GPUs", "sites": "Sites, for `extends`"}

Units = Sequence[tuple[float, str]]
Columns = Mapping[str, Callable[[Row], Cell]]


def presets_table(kind: str, rows: Sequence[Row], *, sources: bool) -> Table:
    """The table of `models`, `clusters`, `gpus` or `sites`; with `sources`, notes say where each row comes from."""
    columns = _COLUMNS[kind]
    made = table(kind, TITLES[kind], tuple(columns), [[cell(row) for cell in columns.values()] for row in rows])
    return replace(made, notes=tuple(_source(row) for row in rows)) if sources else made


def _source(row: Row) -> str:
    assumed = f" (assumed: {row['assumed']})" if row.get("assumed") else ""
    date = f", {row['date']}" if row.get("date") else ""
    return f"{row['name']}: {row['source'] or row.get('path')}{date}{assumed}"


def _rate(value: float | None, units: Units) -> Cell:
    """A rate, or that the device has no such arithmetic or link."""
    return quantity_cell(value, units) if value else text("none")


def _power(row: Row) -> Cell:
    if row["power_default_watts"] is None:
        return text(UNKNOWN)
    low, high = row["power_lowest_watts"], row["power_highest_watts"]
    return text(f"{row['power_default_watts']:g} W ({low:g}-{high:g})")


_COLUMNS: dict[str, Columns] = {
    "models": {
        "Model": lambda row: text(row["name"]),
        "Parameters": lambda row: Cell(count(row["parameters"]), row["parameters"]),
        "Layers": lambda row: Cell(str(row["layers"]), row["layers"]),
        "Width": lambda row: Cell(str(row["hidden_size"]), row["hidden_size"]),
        "FFN": lambda row: Cell(str(row["ffn_size"]), row["ffn_size"]),
        "Heads/KV": lambda row: text(f"{row['heads']}/{row['kv_heads']}"),
        "Vocabulary": lambda row: Cell(str(row["vocab_size"]), row["vocab_size"]),
    },
    "clusters": {
        "Cluster": lambda row: text(row["name"]),
        "GPU": lambda row: text(row["gpu"]),
        "GPUs": lambda row: Cell(str(row["gpus"]), row["gpus"]),
        "Per node": lambda row: Cell(str(row["gpus_per_node"]), row["gpus_per_node"]),
        "Power cap": lambda row: text(row["power_cap"] or "none"),
        "Network": lambda row: text(f"{row['interconnect']} {row['bandwidth_per_gpu'] or ''}".strip()),
    },
    "sites": {
        "Site": lambda row: text(row["name"]),
        "GPU": lambda row: text(row["gpu"] or "the spec's"),
        "Per node": lambda row: text(row["gpus_per_node"] or "the spec's"),
        "Network": lambda row: text(row["interconnect"] or "the spec's"),
        "Launch": lambda row: text(" ".join(filter(None, (row["target"], row["partition"]))) or "the spec's"),
        "Listed by": lambda row: text(row["listed_by"]),
    },
    "gpus": {
        "GPU": lambda row: text(row["name"]),
        "Memory": lambda row: quantity_cell(row["memory_bytes"], BYTES),
        "bf16": lambda row: _rate(row["bf16_flops"], FLOP_RATES),
        "Memory rate": lambda row: _rate(row["memory_bytes_per_second"], BYTE_RATES),
        "Link": lambda row: _rate(row["link_bytes_per_second"], BYTE_RATES),
        "Power (cap)": _power,
    },
}

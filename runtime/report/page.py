"""The self-contained HTML page: everything inline, nothing loaded, every word of a run escaped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, get_args

from ... import templates
from .curves import thinned
from .numbers import BYTES, COUNTS, ENERGIES, MASSES, TIMES, UNKNOWN, count, significant, with_unit
from .prose import facts
from .tables import emissions, run_tables
from .values import Basis, Curves, Report, Run

BUCKETS = 300  # of each curve, on the page; the CSV file has every step
ONE = ((1.0, ""),)
AXES = (
    ("tokens", "Tokens", COUNTS),
    ("seconds", "Time", TIMES),
    ("energy_kwh", "Energy", ENERGIES),
    ("carbon_tonnes", "Carbon", MASSES),
)
CHARTS = (
    ("loss", "Loss, training (line) and validation (dots), nats per token", ONE),
    ("perplexity", "Perplexity", ONE),
    ("learning_rate", "Learning rate", ONE),
    ("grad_norm", "Gradient norm", ONE),
    ("tokens_per_second", "Throughput, tokens per second", COUNTS),
    ("power_watts", "Power per device", ((1.0, "W"),)),
    ("memory_bytes", "Memory per device", BYTES),
    ("mfu", "Model FLOPs utilisation", ONE),
)
FORMULA = (
    "Carbon = device energy x PUE x carbon intensity. Device energy is the sum over all devices and attempts; "
    "power is energy over device hours. What no meter covered is labelled; unknown is never counted as zero."
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One key number at the top of the page."""

    name: str
    value: str
    unit: str
    under: str


def page(report: Report) -> str:
    """The whole page as text."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder = files(templates) / "report"
    source = {name: (folder / name).read_text(encoding="utf-8") for name in ("page.html.j2", "page.css", "page.js")}
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(source["page.html.j2"])
    return template.render(
        title=", ".join(run.label for run in report.runs),
        lede=_lede(report),
        tiles=_tiles(report),
        main_table=emissions(report),
        labels=frozenset(get_args(Basis)),
        axes=[(key, name) for key, name, _ in AXES],
        runs=[
            {"label": r.label, "facts": facts(r), "missing": r.missing, "tables": run_tables(r)} for r in report.runs
        ],
        generator=report.generator,
        formula=FORMULA,
        css=Markup(source["page.css"]),  # noqa: S704 - our own file
        script=Markup(source["page.js"]),  # noqa: S704 - our own file
        data=Markup(_island(_data(report))),  # noqa: S704 - escaped for a script element by _island
    )


def _lede(report: Report) -> str:
    if len(report.runs) == 1:
        (run,) = report.runs
        return f"{run.model} on {run.devices if run.devices is not None else UNKNOWN} x {run.device}: {run.status}."
    return f"{len(report.runs)} runs. " + " ".join(f"{run.label}: {run.status}." for run in report.runs)


def _tiles(report: Report) -> list[Tile]:
    row = report.actual_total
    carbon, energy = with_unit(row.carbon_tonnes, MASSES), with_unit(row.energy_kwh, ENERGIES)
    tokens = [run.training.tokens for run in report.runs]
    total = sum(value for value in tokens if value is not None) if None not in tokens else None
    return [
        Tile("Carbon emitted", *_split(carbon), row.basis if row.basis != "unknown" else "no energy reading"),
        Tile("Energy of the devices", *_split(energy), _against(report, "energy_kwh")),
        Tile(
            "Device hours",
            f"{significant(row.device_hours)}",
            "h" if row.device_hours is not None else "",
            _against(report, "device_hours"),
        ),
        Tile(
            "Mean power a device",
            f"{significant(row.power_watts)}",
            "W" if row.power_watts is not None else "",
            _against(report, "power_watts"),
        ),
        Tile("Tokens", count(total), "", "trained on"),
        _quality(report.runs),
    ]


def _split(quantity: str) -> tuple[str, str]:
    value, _, unit = quantity.partition(" ")
    return value, unit


def _against(report: Report, key: str) -> str:
    """How the number compares with the plan, in words."""
    planned = getattr(report.planned_total, key) if report.planned_total else None
    actual = getattr(report.actual_total, key)
    return (
        f"{actual / planned - 1:+.1%} against the plan" if planned and actual is not None else "no plan to compare with"
    )


def _quality(runs: Sequence[Run]) -> Tile:
    known = [(run.training.validation_loss, run) for run in runs if run.training.validation_loss is not None]
    if not known:
        return Tile("Validation loss", UNKNOWN, "", "not measured")
    best, run = min(known, key=lambda pair: pair[0])
    return Tile(
        "Validation loss", significant(best), "nats", f"perplexity {significant(run.training.validation_perplexity)}"
    )


def _data(report: Report) -> dict[str, Any]:
    return {
        "axes": [{"key": key, "name": name, "units": units} for key, name, units in AXES],
        "charts": [
            {"key": key, "name": name, "units": units, "points": key in {"loss", "perplexity"}}
            for key, name, units in CHARTS
        ],
        "runs": [_run_data(run) for run in report.runs],
    }


def _run_data(run: Run) -> dict[str, Any]:
    return {
        "label": run.label,
        "curves": _columns(thinned(run.curves, BUCKETS)),
        "validation": _columns(thinned(run.validation, BUCKETS)),
        "marks": [{"kind": m.kind, "step": m.step, "text": m.text, **_place(run.curves, m.step)} for m in run.marks],
    }


def _columns(curves: Curves) -> dict[str, list[float | None]]:
    """Columns to six digits: what a screen can show."""
    return {
        key: [None if v is None else float(f"{v:.6g}") if key != "step" else v for v in column]
        for key, column in curves
    }


def _place(curves: Curves, step: int) -> dict[str, float | None]:
    """Where a mark stands on each axis: at its step, or at the next step that was kept."""
    index = next((i for i, at in enumerate(curves.step) if at >= step), None)
    return {key: None if index is None else getattr(curves, key)[index] for key, _, _ in AXES}


def _island(value: Any) -> str:
    """JSON that a script element can hold: no sign that could end it or start a comment."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

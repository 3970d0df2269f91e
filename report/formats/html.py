"""A `Document` as one self-contained HTML page: everything inline, nothing loaded, every word of a run escaped."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, get_args

from ...spec.display_units import BYTES, COUNTS, ENERGIES, MASSES, TIMES
from ..accounting.curves import shared_buckets, thinned
from ..document import Document, Series
from ..values import Basis, Curves

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


def page(document: Document, pictures: Mapping[str, bytes] | None = None) -> str:
    """The whole page as text; `pictures` are PNGs that go into it, by their name."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    measured = any(not series.predicted for series in document.series)
    folder = files("trainwright.templates") / "report"
    source = {name: (folder / name).read_text(encoding="utf-8") for name in ("page.html.j2", "page.css", "page.js")}
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(source["page.html.j2"])
    return template.render(
        document=document,
        labels=frozenset(get_args(Basis)),
        axes=[(key, name) for key, name, _ in AXES],
        silent=[name for key, name, _ in CHARTS if measured and not _known(document, key)],
        css=Markup(source["page.css"]),  # noqa: S704 - our own file
        script=Markup(source["page.js"]),  # noqa: S704 - our own file
        pictures={name: b64encode(content).decode() for name, content in (pictures or {}).items()},
        data=Markup(_island(_data(document))),  # noqa: S704 - escaped for a script element by _island
    )


def _known(document: Document, key: str) -> bool:
    """Whether any line has a number of this kind."""
    return any(value is not None for series in document.series for value in getattr(series.curves, key))


def _data(document: Document) -> dict[str, Any]:
    buckets = shared_buckets(BUCKETS, len(document.series))
    return {
        "axes": [{"key": key, "name": name, "units": units} for key, name, units in AXES],
        "charts": [_chart(*chart) for chart in CHARTS if _known(document, chart[0])],
        "runs": [_line(series, buckets) for series in document.series],
    }


def _chart(key: str, name: str, units: Sequence[tuple[float, str]]) -> dict[str, Any]:
    quality = key in {"loss", "perplexity"}
    return {"key": key, "name": name, "units": units, "points": quality, "log": key == "perplexity"}


def _line(series: Series, buckets: int) -> dict[str, Any]:
    return {
        "label": series.label,
        "predicted": series.predicted,
        "bar": series.bar,
        "curves": _columns(thinned(series.curves, buckets)),
        "validation": _columns(thinned(series.validation, buckets)),
        "marks": [
            {"kind": mark.kind, "step": mark.step, "text": mark.text, **_place(series.curves, mark.step)}
            for mark in series.marks
        ],
    }


def _columns(curves: Curves) -> dict[str, list[float | None]]:
    """Columns to six digits: what a screen can show."""
    return {
        key: [None if value is None else value if key == "step" else float(f"{value:.6g}") for value in column]
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

"""The emissions section of a Hugging Face model card, with the hub's `co2_eq_emissions` metadata (grams of CO2eq).

Format: https://huggingface.co/docs/hub/model-cards-co2
"""

from __future__ import annotations

import json

from ...spec.display_units import MASSES
from ...spec.foreign_text import for_markdown
from ...spec.number_text import with_unit
from ..receipt.rows import HUGGING_FACE, report_ledger
from ..tables.emissions import emissions
from ..tables.run import factor_rows, scope_lines
from ..values import Report
from .markdown import markdown


def model_card(report: Report) -> str:
    """Front matter and section for the card of the trained model. Unknown emissions are left out of the metadata."""
    tonnes, paper = report.actual_total.counted_tonnes, report.actual_total.carbon_tonnes
    grams = report_ledger(report).values[HUGGING_FACE]
    hardware = "; ".join(dict.fromkeys(f"{run.devices or 'unknown number of'} x {run.device}" for run in report.runs))
    basis = ", ".join(dict.fromkeys(run.actual.basis for run in report.runs))
    places = dict.fromkeys(run.carbon.place for run in report.runs if run.carbon and run.carbon.place)
    metadata = [
        "co2_eq_emissions:",
        *([f"  emissions: {grams!r}"] if grams is not None else []),
        f"  source: {_yaml_text(f'{report.generator}: energy {basis}, times PUE and carbon intensity')}",
        '  training_type: "pre-training"',
        *([f"  geographical_location: {_yaml_text('; '.join(places))}"] if places else []),
        f"  hardware_used: {_yaml_text(hardware)}",
    ]
    lines = [
        "---",
        *metadata,
        "---",
        "",
        "# Environmental impact",
        "",
        f"Training emitted {with_unit(tonnes, MASSES)} ({basis}), all attempts counted:",
        f"devices and cooling (energy x PUE x carbon intensity) {with_unit(paper, MASSES)}, and further scopes.",
        "",
        *(
            f"- {name}: {for_markdown(f'{value}, from {source}')}"
            for name, value, source in factor_rows(report.runs[0].carbon)
        ),
        "",
        markdown(emissions(report)),
        *(markdown(lines) for run in report.runs if (lines := scope_lines(run))),
    ]
    return "\n".join(lines)


def _yaml_text(text: str) -> str:
    """A YAML scalar that no renderer of the Markdown below it takes for a tag."""
    return json.dumps(text).replace("<", "\\u003c")

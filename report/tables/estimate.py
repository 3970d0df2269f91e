"""Estimates as tables: every predicted figure with its range, the parts of memory and of a step, carbon by scope.

`estimate.md` of a bundle and `trainwright estimate` are made of the same tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...spec.display_units import BYTES, ENERGIES, MASSES, TIMES, fitting
from ...spec.emissions import carbon_tonnes, energy_kwh
from ...spec.estimate import USD, Estimate, Part, Range
from ...spec.number_text import UNKNOWN, style
from ...spec.units import DAY, GIB
from ..document import Document, generator
from .cells import Cell, Table, bounded_cell, fixed_cell, quantity_cell, share_cell, significant_cell, table, text
from .limits import limits_table

Unit = tuple[float, str]


def layout_text(layout: Mapping[str, int | str | bool]) -> str:
    """A layout in words, without what is not used."""
    degrees = {name: name for name in ("data", "tensor", "sequence", "context", "pipeline")}
    words = degrees | {"interleave": "virtual stages", "zero": "ZeRO", "micro_batch": "micro batch"}
    parts = [f"{word} {layout[key]}" for key, word in words.items() if layout.get(key, 1) != 1 or key == "zero"]
    return ", ".join(
        [
            *parts,
            *(
                [f"activation checkpointing {layout['activation_checkpointing']}"]
                if layout["activation_checkpointing"] != "none"
                else []
            ),
        ]
    )


def ranged_cell(value: Range | None, unit: float = 1.0) -> Cell:
    """A prediction with its bounds, in a unit that the heading names."""
    if value is None:
        return text(UNKNOWN)
    low, high = significant_cell(value.low / unit).text, significant_cell(value.high / unit).text
    shown = f"{significant_cell(value.value / unit).text} ({low} to {high})"
    return Cell(shown, value.value / unit, low=value.low / unit, high=value.high / unit)


@dataclass(frozen=True, slots=True)
class _Units:
    """Scale and name of the units that fit the largest of the runs, so that a column stays comparable."""

    time: Unit
    energy: Unit
    carbon: Unit
    money: str  # the currency of all; empty where they differ

    @classmethod
    def of(cls, estimates: Sequence[Estimate]) -> _Units:
        """The units of a table of these runs."""

        def largest(values: Iterable[Range | None]) -> float:
            return max((value.value for value in values if value), default=0.0)

        currencies = {item.currency for item in estimates if item.cost} or {USD}
        return cls(
            fitting(largest(item.days for item in estimates) * DAY, TIMES),
            fitting(largest(item.energy_kwh for item in estimates), ENERGIES),
            fitting(largest(item.carbon_tonnes for item in estimates), MASSES),
            currencies.pop() if len(currencies) == 1 else "",
        )


def _predicted(item: Estimate, units: _Units) -> dict[str, Cell]:
    """Every figure of one run, by its heading."""
    return {
        "Software": text(item.software or UNKNOWN),
        "Devices": text(f"{item.devices} x {item.device}"),
        "Layout": text(layout_text(item.layout)),
        "Memory a device (GiB)": ranged_cell(item.memory_bytes, GIB),
        "Sequences a step": fixed_cell(item.sequences_per_step, 0),
        "Step (s)": ranged_cell(item.step_seconds),
        "Tokens/s and device": ranged_cell(item.tokens_per_second, item.devices),
        "MFU (%)": ranged_cell(item.mfu, 0.01),
        "MFU, causal (%)": ranged_cell(item.mfu_causal, 0.01),
        "Device hours": ranged_cell(item.device_hours),
        f"Time ({units.time[1]})": ranged_cell(item.days, units.time[0] / DAY),
        "Power cap (W)": _cap(item),
        "Draw (W)": ranged_cell(item.power_watts),
        f"Energy of devices ({units.energy[1]})": ranged_cell(item.energy_kwh, units.energy[0]),
        f"Carbon ({units.carbon[1]})": ranged_cell(item.carbon_tonnes, units.carbon[0]),
        f"Carbon at the cap ({units.carbon[1]})": _at_the_cap(item, units.carbon[0]),
        f"Money ({units.money or 'each in its currency'})": _money(item, units),
        "Water (L)": ranged_cell(item.water_litres),
        "Final loss (nats a token)": ranged_cell(item.final_loss),
    }


def _money(item: Estimate, units: _Units) -> Cell:
    shown = ranged_cell(item.cost)
    return shown if units.money or item.cost is None else replace(shown, text=f"{shown.text} {item.currency}")


def prediction_table(estimates: Sequence[Estimate]) -> Table:
    """One column a run; a run of its own row would not fit a terminal."""
    units = _Units.of(estimates)
    columns = [_predicted(item, units) for item in estimates]
    rows = [(text(name), *(column[name] for column in columns)) for name in columns[0]]
    headings = ("Predicted, and range", *(item.name for item in estimates))
    return Table("predicted", "Prediction", headings, tuple(rows), frozenset(), notes=tuple(_notes(estimates)))


def _notes(estimates: Sequence[Estimate]) -> list[str]:
    notes = [f"{item.name}: {item.step_seconds.because}." for item in estimates if item.step_seconds]
    notes += [f"{item.name}: {note}" for item in estimates for note in item.notes]
    notes.append(
        "Carbon is hours x draw x PUE x intensity, and what else the spec's scopes count; at the cap: the devices alone"
        " with the power cap as their draw, as the paper does."
        " Without a cap the device's default limit is taken."
    )
    return notes + sorted({f"{item.intensity_kg_per_kwh:g} kg/kWh: {item.intensity_source}." for item in estimates})


def _cap(item: Estimate) -> Cell:
    if item.power_cap_watts is not None:
        return fixed_cell(item.power_cap_watts, 0)
    return text("none" if item.power_limit_watts is None else f"none (default limit {item.power_limit_watts:,.0f})")


def _at_the_cap(item: Estimate, unit: float) -> Cell:
    """Carbon with the power cap as the draw, or with the default limit, which is then said."""
    if item.device_hours is None or item.power_limit_watts is None:
        return text(UNKNOWN)
    kwh = energy_kwh(item.device_hours.value, item.power_limit_watts)
    shown = significant_cell(carbon_tonnes(kwh, item.pue, item.intensity_kg_per_kwh) / unit)
    return shown if item.power_cap_watts is not None else Cell(f"{shown.text} (at the default limit)", shown.value)


def scope_table(estimates: Sequence[Estimate]) -> Table | None:
    """Carbon by scope with its range; None where no spec counts more than devices and cooling."""
    parts = [(item, part) for item in estimates for part in item.scope_parts]
    if not parts or all(len(item.scope_parts) <= 2 for item in estimates):
        return None
    mass = style([part.value for _, part in parts], MASSES)
    rows = [
        [text(item.name), text(part.name), bounded_cell(part.value, part.low, part.high, mass), text(part.source)]
        for item in estimates
        for part in (*item.scope_parts, *_total(item))
    ]
    return table("scopes", "Carbon by scope", ("Run", "Scope", f"Carbon ({mass.unit})", "Source"), rows)


def _total(item: Estimate) -> list[Part]:
    """The headline: all that the run's scopes count."""
    whole = item.carbon_tonnes
    return [Part(name="total", value=whole.value, low=whole.low, high=whole.high)] if whole else []


def parts_table(item: Estimate) -> Table:
    """What memory and a step are made of, largest first, with the share of each."""
    named = (("memory", item.memory_parts, BYTES), ("step", item.time_parts, TIMES))
    rows = [row for whole, parts, units in named for row in _parts(whole, parts, units)]
    return table("parts", "Parts of memory and of a step", ("Of", "Part", "Amount", "Share"), rows)


def _parts(whole: str, parts: Sequence[Part], units: Sequence[Unit]) -> Iterable[list[Cell]]:
    total = sum(part.value for part in parts)
    for part in sorted(parts, key=lambda part: -part.value):
        amount = quantity_cell(part.value, units)
        yield [text(whole), text(part.name), amount, share_cell(part.value / total)]


def limit_tables(estimates: Sequence[Estimate]) -> list[Table]:
    """The limits of each spec that sets some."""
    found = (limits_table("Predicted, and range", item.limits, item.name) for item in estimates)
    return [each for each in found if each]


def estimate_document(item: Estimate) -> Document:
    """One estimate, for people who read a bundle in a review."""
    wider = scope_table([item])
    return Document(
        kind="Estimate",
        title=item.name,
        lede=f"{item.model}, {item.parameters:,} parameters, {item.tokens:,} tokens, "
        f"{item.devices} x {item.device} on {item.cluster}.",
        tables=(prediction_table([item]), *limit_tables([item]), *([wider] if wider else []), parts_table(item)),
        notes=(f"PUE {item.pue:g}.",),
        generator=generator(),
    )

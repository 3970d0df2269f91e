"""Carbon by scope: the devices' energy with cooling (the paper's scope), and the wider lines that a spec asks for."""

from __future__ import annotations

from dataclasses import replace

from ...spec.emissions import KG_PER_TONNE, WATTS_PER_KILOWATT, Intensity, carbon_tonnes, intensity
from ...spec.estimate import Part, Range
from ...spec.facts import facts
from ...spec.problem import MissedRuleError
from ...spec.sections import Carbon
from ...spec.units import HOUR, YEAR

GIVEN = "given in the spec"


def carbon_intensity(carbon: Carbon) -> Intensity:
    """The electricity's intensity and its source: the spec's own value wins over the table's for its region.

    Raises InputError (TW210) for a region that the table lacks, as the rule of that code does.
    """
    place = None if carbon.region is None else intensity(carbon.region, carbon.year)
    if carbon.intensity is not None:
        named = place or Intensity("", carbon.intensity, "")
        return replace(named, kg_per_kwh=carbon.intensity, source=GIVEN)
    if place is None:
        raise MissedRuleError("TW211", "the carbon intensity of the electricity is not given")
    return place


def _part(name: str, values: list[float], source: str) -> Part:
    return Part(name=name, low=min(values), value=values[1], high=max(values), source=source)


def scopes(carbon: Carbon, hours: float, energy: Range, kg_per_kwh: float) -> tuple[Part, ...]:
    """Tonnes CO2eq by scope of a run of `hours` device hours that used `energy` kWh in its devices."""
    table = facts("scopes")
    energies = [energy.low, energy.value, energy.high]
    gpu = [carbon_tonnes(kwh, 1.0, kg_per_kwh) for kwh in energies]
    parts = [_part("devices", gpu, "average draw x device hours")]
    extra = [0.0, 0.0, 0.0]
    if carbon.scopes.host:
        fact = table["host"]
        host = [share * tonnes for share, tonnes in zip(fact.value, gpu, strict=True)]
        parts.append(_part("host", host, fact.source))
        extra = [a + b for a, b in zip(extra, host, strict=True)]
    if carbon.scopes.network:
        fact = table["network"]
        network = [carbon_tonnes(hours * watts / WATTS_PER_KILOWATT, 1.0, kg_per_kwh) for watts in fact.value]
        parts.append(_part("network", network, fact.source))
        extra = [a + b for a, b in zip(extra, network, strict=True)]
    cooling = [(carbon.pue - 1) * (a + b) for a, b in zip(gpu, extra, strict=True)]
    parts.insert(1, _part("cooling and distribution", cooling, f"PUE {carbon.pue:g}, from the spec"))
    if carbon.scopes.embodied:
        fact = table["embodied"]
        row = fact.value
        lives = [years * YEAR / HOUR * row["utilisation"] for years in reversed(row["years"])]
        made = [kg / life * hours / KG_PER_TONNE for kg, life in zip(row["kg"], lives, strict=True)]
        parts.append(_part("embodied", made, fact.source))
    return tuple(parts)

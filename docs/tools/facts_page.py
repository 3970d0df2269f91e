"""The pages of presets and facts: every table under `spec/facts/` with its sources, dates and licences."""

from __future__ import annotations

from pathlib import Path

from ...compiler.load.presets import TABLES, Preset, presets
from ...spec.facts import facts
from ...spec.hardware import Gpu, gpu, gpu_names
from ...spec.quantity import MEMORY
from .tables import code, page, table

FOLDER = Path(__file__).parents[2] / "spec" / "facts"
_GPU_HEADS = (
    "name",
    "memory",
    "peak bf16, TFLOP/s",
    "memory bandwidth, GB/s",
    "NVLink, GB/s",
    "power cap, W",
    "source",
)
_PRESETS = "`trainwright presets` prints the same. A spec overrides any key of a preset.\n"
_FACTS = """\
Numbers about the world are data with a source, never code. These are the files as they are, comments included;
the estimator, the checks and the report read nothing else. What was fitted says to what.
"""


def presets_page() -> str:
    """Models, clusters and devices that a spec can name."""
    parts = [_PRESETS]
    for section in TABLES:
        known = presets(section).values()
        parts += [f"## {section.capitalize()}s", "", _values(list(known)), _sources(list(known))]
    rows = [_gpu_row(gpu(name)) for name in gpu_names()]
    aliases = [f"`{alias}` means `{name}`" for alias, name in facts("gpus")["aliases"].items()]
    about = "Peaks are dense; bandwidths are one direction."
    parts += ["## Devices", "", about, "", table(_GPU_HEADS, rows), "Aliases: " + ", ".join(aliases) + ".", ""]
    return page("Presets", "`spec/facts/models.yaml`, `clusters.yaml` and `gpus.yaml`", *parts)


def _values(known: list[Preset]) -> str:
    keys = list(dict.fromkeys(key for preset in known for key in preset.values))
    rows = [(code(preset.name), *(_shown(preset.values.get(key, "default")) for key in keys)) for preset in known]
    return table(("name", *(code(key) for key in keys)), rows)


def _sources(known: list[Preset]) -> str:
    """Each source once, with the presets that rest on it and what it leaves open."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for preset in known:
        grouped.setdefault((preset.source, preset.date, preset.assumed), []).append(code(preset.name))
    lines = [
        f"- {', '.join(names)}: {source} ({date}).{f' Assumed, since it does not say: {assumed}.' if assumed else ''}"
        for (source, date, assumed), names in grouped.items()
    ]
    return "\n".join([*lines, ""])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    return str(value)


def _gpu_row(device: Gpu) -> tuple[object, ...]:
    power = device.power
    return (
        code(device.name),
        MEMORY.text(device.memory_bytes) if device.memory_bytes else None,
        f"{device.flops['bf16'] / 1e12:g}" if "bf16" in device.flops else "none",
        f"{device.bandwidth / 1e9:g}",
        f"{device.link / 1e9:g}" if device.link else "none",
        f"{power.lowest:g} to {power.highest:g}, default {power.default:g}" if power else None,
        device.source,
    )


def facts_page() -> str:
    """Every facts file, the grid as tables and the others as they are."""
    parts = [_FACTS]
    for path in sorted(set(FOLDER.glob("*.yaml")) - {FOLDER / "codes.yaml"}):  # texts, with a page of their own
        parts += [
            f"## {path.name}",
            "",
            _grid() if path.stem == "grid" else f"```yaml\n{path.read_text('utf-8')}```",
            "",
        ]
    return page("Facts", "`spec/facts/`", *parts)


def _years(values: dict[int, float]) -> str:
    return ", ".join(f"{year}: {value:g}" for year, value in values.items())


def _grid() -> str:
    grid = facts("grid")
    sources = [
        (code(name), row["title"], row["licence"], row["url"], row["read"]) for name, row in grid["sources"].items()
    ]
    parts = [
        "Carbon intensity of electricity, yearly averages, kg CO2eq per kWh. `carbon.region` names one of these.",
        "One that is not here is an error, never another place's number.",
        "",
        table(("source", "what", "licence", "address", "read"), sources),
    ]
    earlier = facts("grid_years")
    for name, source in (("countries", "ember"), ("subregions", "epa")):
        method = grid["sources"][source]["method"]
        rows = [
            (code(place), title, f"{value:g}", year, method, _years(earlier[name].get(place, {})))
            for place, (value, year, title) in grid[name].items()
        ]
        parts += [f"### {name}", "", table(("region", "place", "kg/kWh", "year", "method", "earlier"), rows)]
    parts += [f"Earlier years: {row['title']} ({row['licence']})." for row in earlier["sources"].values()]
    rows = [(code(alias), code(place)) for alias, place in grid["aliases"].items()]
    return "\n".join([*parts, "### Other names", "", table(("name", "means"), rows)])

"""`trainwright scaling SPEC`: throughput and carbon against device count, interconnect and power cap."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..compiler.check import load_checked_one
from ..compiler.help.scaling import Point, caps, counts, scaling, setups
from ..report.tables.emissions import Cell
from ..spec.number_text import count
from ..spec.problem import InputError
from .figures import FormatOption, figure, layout_words, number, print_tables, table
from .options import Sets, SpecFile

Gpus = Annotated[str, typer.Option("--gpus", help="Device counts: 8..4096 (doublings) or 8,64,2000.")]
Fabrics = Annotated[str, typer.Option("--interconnect", help="Fabrics to compare, e.g. infiniband,roce.")]
Caps = Annotated[str, typer.Option("--power-cap", help="Power caps to compare, e.g. 400W,350W.")]
Plot = Annotated[Path | None, typer.Option("--plot", help="Draw the curves into this .png or .svg file.")]
COLUMNS = (
    "Devices", "Fabric", "Cap (W)", "tokens/s", "tokens/s a device", "Efficiency", "Of the first", "Device hours",
    "Days", "tCO2eq", "Layout or reason",
)  # fmt: skip


def _pace(point: Point) -> float | None:
    """Tokens per second and device."""
    if point.estimate is None or point.estimate.tokens_per_second is None:
        return None
    return point.estimate.tokens_per_second.value / point.devices


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one and other else None


def rows(points: list[Point]) -> list[dict[str, Any]]:
    """Each point as plain values; efficiency is against the smallest count of the same curve that runs."""
    first = {point.devices: _pace(point) for point in points if point.setup == points[0].setup}
    made: list[dict[str, Any]] = []
    for point in points:
        curve = [_pace(other) for other in points if other.setup == point.setup]
        best, pace, there = next((p for p in curve if p), None), _pace(point), point.estimate
        made.append(
            {
                "devices": point.devices,
                "interconnect": point.setup.interconnect,
                "power_cap_watts": point.setup.power_cap,
                "tokens_per_second": pace * point.devices if pace else None,
                "tokens_per_second_per_device": pace,
                "efficiency": _ratio(pace, best),
                "of_the_first": _ratio(pace, first.get(point.devices)),
                "device_hours": there.device_hours.value if there and there.device_hours else None,
                "days": there.days.value if there and there.days else None,
                "carbon_tonnes": there.carbon_tonnes.value if there and there.carbon_tonnes else None,
                "layout": there.layout if there else None,
                "reason": point.reason,
            }
        )
    return made


def _cells(row: dict[str, Any]) -> list[Cell]:
    shares = (row["efficiency"], row["of_the_first"])
    return [
        number(row["devices"], 0),
        Cell(row["interconnect"]),
        number(row["power_cap_watts"], 0) if row["power_cap_watts"] else Cell("none"),
        figure(row["tokens_per_second"]),
        figure(row["tokens_per_second_per_device"]),
        *(Cell("unknown" if share is None else f"{share:.1%}", share) for share in shares),
        figure(row["device_hours"]),
        figure(row["days"]),
        figure(row["carbon_tonnes"]),
        Cell(layout_words(row["layout"]) if row["layout"] else row["reason"]),
    ]


def _spare(made: list[dict[str, Any]]) -> list[str]:
    """What a narrow terminal leaves out: first what is the same in every row."""
    keys = {"Of the first": "of_the_first", "Fabric": "interconnect", "Cap (W)": "power_cap_watts"}
    same = [heading for heading, key in keys.items() if len({row[key] for row in made}) == 1]
    return [*same, "tokens/s", "Device hours", "Efficiency"]


def _draw(made: list[dict[str, Any]], title: str, path: Path) -> None:
    """Two panels over the device count: throughput per device, carbon of the whole run."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = (
        ("tokens_per_second_per_device", "Tokens per second and device"),
        ("carbon_tonnes", "Carbon of the run (tCO2eq)"),
    )
    drawn, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    curves = dict.fromkeys((row["interconnect"], row["power_cap_watts"]) for row in made)
    for axis, (key, label) in zip(axes, panels, strict=True):
        for fabric, cap in curves:
            curve = [row for row in made if (row["interconnect"], row["power_cap_watts"]) == (fabric, cap) and row[key]]
            name = f"{fabric}, {cap:g} W" if cap else fabric
            axis.plot([row["devices"] for row in curve], [row[key] for row in curve], marker="o", ms=4, label=name)
        axis.set(xlabel="Devices", ylabel=label, ylim=(0, None))
        axis.set_xscale("log", base=2)
        axis.set_xticks([row["devices"] for row in made], [f"{row['devices']:,}" for row in made], rotation=45)
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].legend(frameon=False)
    drawn.suptitle(title)
    try:
        drawn.savefig(path, dpi=144)
    except (OSError, ValueError) as error:
        raise InputError.one("TW874", f"cannot draw {path}: {error}", "name a .png or .svg file", "--plot") from error
    finally:
        plt.close(drawn)


def command(
    spec: SpecFile,
    gpus: Gpus = "8..4096",
    interconnect: Fabrics = "",
    power_cap: Caps = "",
    plot: Plot = None,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    form: FormatOption = "table",
) -> None:
    """The same run on ever more devices; `Of the first` compares with the first fabric and cap at the same count."""
    loaded = load_checked_one(spec, sets)
    kinds = [kind.strip() for kind in interconnect.split(",") if kind.strip()]
    curves = setups(loaded.spec, kinds, caps(power_cap) if power_cap else [])
    made = rows(list(scaling(loaded.spec, counts(gpus), curves)))
    title = f"{loaded.spec.name}: {loaded.spec.model.name}, {count(loaded.spec.data.tokens)} tokens"
    print_tables([table("scaling", title, COLUMNS, [_cells(row) for row in made], _spare(made))], form, made)
    if plot:
        _draw(made, title, plot)

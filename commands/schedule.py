"""`trainwright schedule SPEC --intensity FILE`: when to train, where to pause, and under which cap in which hour."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..compiler.check import load_checked_one
from ..compiler.help.under_power import caps_of
from ..compiler.load import load_all
from ..compiler.plan.estimate import predict
from ..compiler.schedule.hourly_file import read_hourly
from ..compiler.schedule.propose import propose, window
from ..report.tables.proposals import proposal_table, span_table
from ..spec.estimate import Estimate
from ..spec.problem import InputError
from ..spec.sections import Cluster
from .options import FormatOption, Sets, SpecFile, TableOption
from .output import drawing, print_tables
from .time_zones import zone_of

Hours = Annotated[
    Path, typer.Option("--intensity", metavar="FILE", help="Carbon intensity of each hour; see the how-to.")
]
From = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Earliest start, with its zone: 2026-12-01T00:00Z.")
]
Within = Annotated[
    float | None, typer.Option(metavar="DAYS", help="Days until it must end; default limits.days, else all hours.")
]


def command(
    spec: SpecFile,
    intensity: Hours,
    begin: From = None,
    within: Within = None,
    timezone: Annotated[str | None, typer.Option(help="Of an export with local times.")] = None,
    sets: Sets = [],  # noqa: B006 - typer reads the default, nothing changes it
    plot: Annotated[Path | None, typer.Option(help="Draw the last proposal into a .png, .svg or .pdf.")] = None,
    form: FormatOption = "text",
    only: TableOption = None,
) -> None:
    """Propose a start, pauses, and a power cap by the hour, each with its days, kWh, carbon and money."""
    loaded = load_checked_one(spec, sets)
    own = predict(loaded.spec)
    found = read_hourly(intensity, zone_of(timezone) if timezone else None)
    limit = loaded.spec.limits.days if loaded.spec.limits else None
    hours = window(found, _moment(begin), within if within is not None else limit)
    proposals = propose(_under_each_cap(loaded.path, loaded.spec.cluster, sets), own, hours)
    last = proposals[-1]
    tables = [proposal_table(proposals, loaded.spec.name, found.source), span_table(last)]
    print_tables(tables, form, [asdict(item) | {"cost": item.cost and item.cost.value} for item in proposals], only)
    if plot:
        from ..report.formats.schedule_plot import write_schedule_plot

        with drawing(plot):
            write_schedule_plot(last, hours.begin, hours.intensity, f"{loaded.spec.name}: {last.name}", plot)


def _under_each_cap(path: Path, cluster: Cluster, sets: list[str]) -> list[Estimate]:
    """The spec's estimate at each cap that its device takes; none where it takes none."""
    try:
        caps = caps_of(cluster)
    except InputError:
        return []
    return [predict(item.spec) for cap in caps for item in load_all([path], [*sets, f"cluster.power_cap={cap:g} W"])]


def _moment(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        message = f"{text!r} is no time with its zone"
        raise InputError.one("TW896", message, "Write e.g. 2026-12-01T00:00Z or 2026-12-01T00:00+01:00.", "--from")
    return read.astimezone(UTC).timestamp()

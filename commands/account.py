"""`trainwright account FILE...`: the emissions table of training that other tools have metered, beside our own runs."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from ..report.elsewhere.account import Factors, accounted, usage_of_run
from ..report.elsewhere.read import read_usages
from ..report.elsewhere.settle import settle
from ..report.elsewhere.table import account_table
from ..spec.emissions import intensity as intensity_of
from ..spec.problem import InputError
from ..spec.quantity import INTENSITY, POWER, Dimension, QuantityError
from .options import FormatOption
from .output import print_tables
from .receipt import write_receipt
from .time_zones import zone_of


def command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE|RUN", help="Files of other tools, and our run folders.")],
    pue: Annotated[float | None, typer.Option(help="Of the site, where a file says none.", min=1, max=3)] = None,
    intensity: Annotated[str | None, typer.Option(metavar="VALUE", help="Electricity, e.g. 0.385kg/kWh.")] = None,
    region: Annotated[str | None, typer.Option(help="Or a place of the grid table, e.g. us-va.")] = None,
    power: Annotated[str | None, typer.Option(metavar="W", help="Assumed of a device that nobody metered.")] = None,
    timezone: Annotated[str, typer.Option(help="Of times that name no zone, e.g. Europe/Paris.")] = "UTC",
    receipt: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the receipt, for `verify`.")] = None,
    form: FormatOption = "text",
) -> None:
    """Read CodeCarbon, Zeus, sacct, DCGM (Prometheus), nvidia-smi, W&B, or hours by hand; count nothing twice."""
    from ..report.build import build_report

    factors = _factors(pue, intensity, region, power)
    paths = list(dict.fromkeys(files))
    folders = [path for path in paths if path.is_dir()]
    ours = [usage_of_run(run) for run in build_report(folders).runs] if folders else []
    theirs = [usage for path in paths if path not in folders for usage in read_usages(path, zone_of(timezone))]
    settled = settle([*ours, *theirs])
    rows = accounted(settled.usages, factors)
    if receipt:
        from ..report.elsewhere.receipt import account_receipt

        write_receipt(account_receipt(rows, [path for path in paths if path not in folders], settled.left_out), receipt)
        return
    data = {"rows": [asdict(row) for row in rows], "left_out": settled.left_out}
    print_tables([account_table(rows, settled.left_out)], form, data)


def _factors(pue: float | None, intensity: str | None, region: str | None, power: str | None) -> Factors:
    place = intensity_of(region) if region else None
    given = _quantity(INTENSITY, intensity, "--intensity")
    source = "given" if given is not None else place.source if place else ""
    kg_per_kwh = given if given is not None else place.kg_per_kwh if place else None
    return Factors(pue, kg_per_kwh, source, _quantity(POWER, power, "--power"))


def _quantity(dimension: Dimension, text: str | None, option: str) -> float | None:
    if text is None:
        return None
    try:
        value = dimension.parse(text)
    except QuantityError as error:
        raise InputError.one("TW894", error.message, error.remedy, option) from error
    if value < 0:
        raise InputError.one("TW894", f"{text} is negative", "Give what was used.", option)
    return value

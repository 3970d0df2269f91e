"""Files with the carbon intensity of each hour: ours, and exports of Electricity Maps, ENTSO-E and the EIA.

Ours has the headings `begin,kg_per_kwh`; a begin carries its offset: `2026-01-01T00:00+01:00` or `...Z`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from ...spec.foreign_csv import Line, read_lines, unix_seconds
from ...spec.foreign_files import read_linked
from ...spec.hourly import Hourly, hourly
from ...spec.problem import InputError
from .fuels import entsoe_columns, fuel_columns, mixed

LARGEST = 64 * 2**20  # bytes: years of quarter hours
GRAMS = 1e-3
_LIFE_CYCLE = re.compile(r"carbon intensity gco.?eq/kwh \((lca|life cycle)\)", re.IGNORECASE)
_EIA_END = "UTC Time at End of Hour"


def read_hourly(path: Path, zone: tzinfo | None) -> Hourly:
    """The intensities of a file. Raises InputError: TW895 where it is none or has gaps, TW891 at a wrong row.

    `zone` is that of an export that writes local times without one (ENTSO-E).
    """
    try:
        text = read_linked(path, LARGEST).decode("utf-8-sig")
    except OSError as error:
        raise InputError.one(
            "TW895", f"cannot read {path}: {error.strerror}", "Give a file that may be read."
        ) from error
    except ValueError as error:
        raise InputError.one("TW895", f"{path} cannot be read: {error}", FORMS) from error
    first = text.partition("\n")[0]
    for fits, read in READERS:
        if fits(first):
            return read(text, path, zone)
    raise InputError.one("TW895", f"{path} has no carbon intensity by the hour", FORMS)


FORMS = (
    "Give a CSV file with begin,kg_per_kwh, or an export of Electricity Maps (hourly CSV), of ENTSO-E (actual "
    "generation per production type) or of the EIA (hourly grid monitor, balance file of one authority)."
)


def _ours(text: str, path: Path, zone: tzinfo | None) -> Hourly:  # noqa: ARG001 - every reader takes a zone
    rows: list[tuple[float, float]] = []
    for line in read_lines(text, path):
        try:
            begin = datetime.fromisoformat(line.text("begin"))
        except ValueError:
            raise line.wrong(f"begin is {line.text('begin')[:40]!r}, which is no date and time") from None
        if begin.tzinfo is None:
            raise line.wrong("begin has no offset from UTC: two hours of a year would be one and the same")
        rows.append((begin.timestamp(), _needed(line, "kg_per_kwh")))
    return hourly(rows, f"{path.name} (begin,kg_per_kwh)", str(path))


def _electricity_maps(text: str, path: Path, zone: tzinfo | None) -> Hourly:  # noqa: ARG001
    lines = read_lines(text, path)
    column = next((name for name in lines[0].fields if _LIFE_CYCLE.fullmatch(name)), "") if lines else ""
    rows = [
        (unix_seconds(datetime.fromisoformat(line.text("Datetime (UTC)")), UTC), _needed(line, column) * GRAMS)
        for line in lines
        if _dated(line, "Datetime (UTC)")
    ]
    place = lines[0].text("Zone id") or lines[0].text("Zone Id") or lines[0].text("Zone name") if lines else ""
    return hourly(rows, f"Electricity Maps, {place or 'an unnamed zone'}, life cycle ({path.name})", str(path))


def _eia(text: str, path: Path, zone: tzinfo | None) -> Hourly:  # noqa: ARG001
    lines = read_lines(text, path)
    fuels = fuel_columns(lines[0].fields, path) if lines else {}
    places = {line.text("Balancing Authority") for line in lines}
    if len(places) > 1:
        message = f"{path} holds {len(places)} balancing authorities"
        raise InputError.one("TW895", message, "Keep the rows of one, e.g. with grep.")
    rows: list[tuple[float, float]] = []
    for line in lines:
        try:
            end = datetime.strptime(line.text(_EIA_END), "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
        except ValueError:
            raise line.wrong(f"{_EIA_END} is {line.text(_EIA_END)[:40]!r}, which is no time of the EIA") from None
        rows.append(((end - timedelta(hours=1)).timestamp(), mixed(line, fuels)))
    return hourly(rows, f"EIA-930, {', '.join(places)}, life cycle by fuel ({path.name})", str(path))


def _entsoe(text: str, path: Path, zone: tzinfo | None) -> Hourly:
    if zone is None:
        remedy = "Add --timezone, e.g. Europe/Brussels for MTU (CET/CEST), UTC for MTU (UTC)."
        raise InputError.one("TW895", f"{path} has local times without a zone", remedy, "--timezone")
    lines = read_lines(text, path)
    mtu = next((name for name in lines[0].fields if name.startswith("MTU")), "") if lines else ""
    fuels = entsoe_columns(lines[0].fields, path) if lines else {}
    rows: list[tuple[float, float]] = []
    for line in lines:
        word = line.text(mtu).partition(" - ")[0]
        try:
            form = "%d.%m.%Y %H:%M" if "." in word else "%d/%m/%Y %H:%M"
            now = datetime.strptime(word[:16], form).replace(tzinfo=zone)
        except ValueError:
            raise line.wrong(f"{mtu} is {word[:40]!r}, which is no time of ENTSO-E") from None
        moment = unix_seconds(now, zone)
        if rows and moment <= rows[-1][0]:  # clocks went back, and this is the hour's second time
            moment = unix_seconds(now.replace(fold=1), zone)
        rows.append((moment, mixed(line, fuels)))
    area = lines[0].text("Area") if lines else ""
    return hourly(rows, f"ENTSO-E, {area or 'an unnamed area'}, life cycle by fuel ({path.name})", str(path))


def _dated(line: Line, key: str) -> bool:
    try:
        datetime.fromisoformat(line.text(key))
    except ValueError:
        raise line.wrong(f"{key} is {line.text(key)[:40]!r}, which is no date and time") from None
    return True


def _needed(line: Line, key: str) -> float:
    """A number that must be there: an hour without intensity is a gap."""
    value = line.number_of(key)
    if value is None:
        raise line.wrong(f"{key} is empty: an hour without intensity is a gap")
    return value


READERS: tuple[tuple[Callable[[str], bool], Callable[[str, Path, tzinfo | None], Hourly]], ...] = (
    (lambda first: {"begin", "kg_per_kwh"} <= {word.strip() for word in first.split(",")}, _ours),
    (lambda first: "Datetime (UTC)" in first and "arbon" in first, _electricity_maps),
    (lambda first: _EIA_END in first and "Net Generation" in first, _eia),
    (lambda first: "MTU" in first and "Actual Aggregated" in first, _entsoe),
)

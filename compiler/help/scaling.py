"""One run on ever more devices, fabrics and power caps: throughput, hours and carbon at each point.

In: a spec and the points to visit. Out: `ScalingPoint` values in the order asked for. The global batch stays what the
spec says (strong scaling), so each point trains the same model on the same tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from pydantic import ValidationError

from ...spec.problem import InputError
from ...spec.quantity import POWER, QuantityError
from ...spec.scaling import ScalingPoint, Setup
from ...spec.sections import Cluster, Interconnect, Launch, Parallel, Spec
from ..check import broken_rules
from ..load import Loaded
from ..plan.estimate import predict
from ..plan.layout_search import NoLayoutError

LARGEST = 1_048_576


def counts(text: str) -> list[int]:
    """`8..4096` (doublings) or `8,64,2000` as numbers of devices. Raises InputError."""
    try:
        if ".." in text:
            low, high = (int(part) for part in text.split(".."))
            found = [low * 2**i for i in range(LARGEST.bit_length()) if low * 2**i <= high] if low > 0 else []
        else:
            found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or not all(0 < count <= LARGEST for count in found):
        raise InputError.one(
            "TW871", f"{text!r} is not a list of device counts", "Write 8..4096 or 8,64,2000.", "--gpus"
        )
    return found


def caps(text: str) -> list[float]:
    """`400W,350W` in watts. Raises InputError."""
    try:
        found = [float(POWER.parse(part)) for part in text.split(",")]
    except QuantityError as error:
        raise InputError.one("TW872", error.message, "Write 400W,350W.", "--power-cap") from error
    if not all(watts > 0 for watts in found):
        raise InputError.one("TW872", f"{text!r}: a power cap is positive", "Write 400W,350W.", "--power-cap")
    return found


def _fabric(old: Interconnect, kind: str) -> Interconnect:
    try:
        return Interconnect.model_validate(old.model_dump() | {"kind": kind})
    except ValidationError as error:
        known = "infiniband, roce, efa, ethernet, none"
        raise InputError.one(
            "TW873", f"unknown interconnect {kind!r}", f"Write one of {known}.", "--interconnect"
        ) from error


def setups(spec: Spec, kinds: Sequence[str], watts: Sequence[float]) -> list[Setup]:
    """Every combination of fabric and cap; what is not asked for is as in the spec. Raises InputError."""
    cluster = spec.cluster
    fabrics = list(kinds) or [cluster.interconnect.kind]
    for kind in fabrics:
        _fabric(cluster.interconnect, kind)
    limits: list[float | None] = list(watts) or [cluster.power_cap]
    return [Setup(kind, cap) for kind, cap in product(fabrics, limits)]


def _resized(cluster: Cluster, setup: Setup, devices: int) -> Cluster:
    fabric = _fabric(cluster.interconnect, setup.interconnect)
    return cluster.model_copy(update={"gpus": devices, "interconnect": fabric, "power_cap": setup.power_cap})


def scaling(
    loaded: Loaded, sizes: Sequence[int], curves: Sequence[Setup], stack: str | None = None
) -> Iterator[ScalingPoint]:
    """The estimate of a spec at each size on each setup, planned anew at each point, as `stack` would run it.

    What starts the run is not varied with its size, so no launch target can be wrong for a point.
    """
    spec = loaded.spec
    free = {"parallel": Parallel(), "launch": Launch(target="slurm")}
    for setup, devices in product(curves, sizes):
        cluster = _resized(spec.cluster, setup, devices)
        yield _point(replace(loaded, spec=spec.model_copy(update=free | {"cluster": cluster})), setup, stack)


def _point(there: Loaded, setup: Setup, stack: str | None) -> ScalingPoint:
    broken = broken_rules(there)
    if broken:
        return ScalingPoint(setup, there.spec.cluster.gpus, None, broken[0].message)
    try:
        return ScalingPoint(setup, there.spec.cluster.gpus, predict(there.spec, stack))
    except NoLayoutError as error:
        return ScalingPoint(setup, there.spec.cluster.gpus, None, error.message)
    except InputError as error:  # another stack has its own limits
        return ScalingPoint(setup, there.spec.cluster.gpus, None, error.problems[0].message)

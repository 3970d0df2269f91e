"""What a branch took over and what it added: tokens and energy, each counted in one run only."""

from __future__ import annotations

from ...spec.display_units import ENERGIES
from ...spec.number_text import style
from ..values import Run
from .cells import Cell, Table, styled, text


def lineage(run: Run) -> Table | None:
    """The trunk's part, the branch's own, and both; None for a run that is no branch."""
    trunk = run.inherited
    if trunk is None:
        return None
    tokens = run.training.tokens
    own = None if tokens is None else max(0.0, tokens - trunk.tokens)
    used = run.actual.energy_kwh
    both = None if used is None or trunk.energy_kwh is None else used + trunk.energy_kwh
    energy = style([trunk.energy_kwh, used, both], ENERGIES)
    rows = (
        (
            text(f"{trunk.name} up to step {trunk.step:,} ({trunk.run})"),
            _tokens(trunk.tokens),
            styled(trunk.energy_kwh, energy),
        ),
        (text(run.name), _tokens(own), styled(used, energy)),
    )
    return Table(
        key="lineage",
        title="Lineage",
        of=run.label,
        headings=("Run", "Tokens", f"Energy ({energy.unit})"),
        rows=rows,
        numeric=frozenset({1, 2}),
        totals=((text("Both"), _tokens(tokens), styled(both, energy)),),
        notes=("What was inherited is counted in the run that it is from; every other table is of this run alone.",),
    )


def _tokens(count: float | None) -> Cell:
    return Cell("unknown" if count is None else f"{count:,.0f}", count)

"""Numbers in code: one that speaks of the world or draws a line is a fact, and lies in a table under spec/facts/."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Where physics or policy could hide.
ROOMS = ("spec", "compiler/backtest", "compiler/check", "compiler/cost", "compiler/help", "compiler/plan", "report",
         "runtime/energy", "runtime/power_cap")  # fmt: skip
# Files whose numbers are what the file is: units, and how long a text of the spec may be.
UNITS = {"spec/units.py", "spec/display_units.py", "spec/quantity.py", "spec/text_types.py"}
# Numbers with a name that are no facts, by reason.
ALLOWED = {
    "units and formats of others": {
        "report/elsewhere/prometheus_range.py:MILLIJOULES",
        "runtime/energy/rapl.py:MICRO", "spec/atomic_folder.py:_AT_FDCWD",
        "spec/corpus_format.py:_FIRST_BYTES",
        "spec/corpus_format.py:(_XZ_FOOTER, _XZ_FOOTER_BYTES)",
        "spec/limits.py:_DAY_UNITS",
        "spec/token_file.py:_MEGATRON",
    },
    "most that is read, kept or tried of somebody's input": {
        "compiler/backtest/published_run.py:Checkpointing", "compiler/backtest/published_run.py:LARGEST",
        "compiler/backtest/published_run.py:Offloaded",
        "compiler/backtest/read_runs.py:LARGEST", "compiler/check/corpus_readable.py:MOST_OPENED",
        "compiler/plan/corpus_tokens.py:MAX_FILES", "compiler/plan/corpus_tokens.py:MAX_FOLDERS",
        "compiler/plan/layout_search.py:MORE",
        "report/receipt/signature.py:TIMEOUT", "report/receipt/values.py:Name", "report/receipt/values.py:Text",
        "report/receipt/verify.py:MOST_TOKENS", "spec/event_fields.py:LARGEST",
        "spec/profile_request.py:MOST_STEPS",
        "spec/yaml_source.py:MAX_DEPTH",
        "spec/yaml_source.py:_DIGITS",
    },
    "size of a picture, a table or a line": {
        "compiler/help/diagnostics.py:_MAX_LINE", "compiler/plan/plan_table.py:SHOWN_PARTS",
        "report/accounting/heat_map.py:COLUMNS",
        "report/accounting/heat_map.py:ROWS",
        "report/formats/heat_plot.py:HEIGHT", "report/formats/html.py:BUCKETS",
        "report/document.py:MOST_SECTIONS", "report/document.py:MOST_NAMED",
        "report/formats/plots.py:MOST_LINES", "report/accounting/curves.py:POINTS",
        "report/formats/latex.py:(COLUMN, PAGE)",
        "report/formats/latex.py:SIZES", "report/formats/plots.py:SMOOTHED", "report/formats/plots.py:UNEQUAL",
        "report/formats/range_plot.py:LONGEST",
        "report/formats/terminal.py:FOLDED", "report/elsewhere/settle.py:MOST_PROBLEMS",
        "spec/foreign_csv.py:MOST_PROBLEMS", "report/live.py:SHOWN", "report/receipt/read.py:SHOWN",
        "report/tables/datasets.py:_BAR", "spec/emissions.py:NEAREST",
        "spec/glob.py:_NAMED", "spec/log_tail.py:SAMPLES", "spec/run_progress.py:RECENT",
    },
    "arithmetic": {
        "compiler/backtest/calibrate.py:HALVINGS",  # of an interval, until a float cannot tell its ends apart
        "compiler/backtest/run_software.py:MIDYEAR",  # the month that stands for a year
        "compiler/cost/goodput.py:(LOW, USUAL, HIGH)",  # places in a fact's three values
        "report/elsewhere/settle.py:_RANK",  # places in an order
        "report/accounting/curves.py:LARGEST_EXPONENT",  # of a float's range
        "spec/position.py:_DECAY",  # the schedules' formulas
    },
    "defaults of other software, read off its source": {"spec/model_family.py:FAMILIES"},
    "a default of the language": {"spec/sections.py:DEFAULT_DECAY"},
}  # fmt: skip


def numbers(node: ast.AST) -> Iterator[float]:
    """Every number below a node, exponents left out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield node.value
    power = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)
    for part in [node.left] if power else ast.iter_child_nodes(node):
        yield from numbers(part)


def plain(number: float) -> bool:
    """Whether a number says nothing of the world: 0, a power of two, a unit's power of ten."""
    if number != int(number):
        return False
    whole = abs(int(number))
    return whole & (whole - 1) == 0 or (whole >= 1000 and set(str(whole)[1:]) == {"0"} and str(whole)[0] == "1")


def sources() -> Iterator[tuple[str, ast.Module]]:
    """The files of those rooms, parsed."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_a_named_number_is_a_fact_or_has_its_reason() -> None:
    """What a module assigns reads its numbers from a table, or is listed above under the reason why it does not."""
    found = {
        f"{name}:{ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)}"
        for name, module in sources()
        if name not in UNITS
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value and not all(map(plain, numbers(node.value)))
    }
    assert found == set().union(*ALLOWED.values())


@pytest.mark.parametrize(
    ("text", "bare"), [("0.5", False), ("3", False), ("2**20 + 1024", True), ("1e9 * 8", True), ("3600", False)]
)
def test_powers_say_nothing_of_the_world(text: str, bare: bool) -> None:
    """Powers of two and large powers of ten pass; any other number needs a table or a reason."""
    assert all(map(plain, numbers(ast.parse(text)))) is bare


FORMULAS = {
    "compiler/backtest/backtest.py:0.9",  # the ninetieth percentile, which is what the column is called
    "compiler/cost/step.py:0.5",  # one of two all-reduces of a layer
    "spec/shape.py:0.5",  # causal attention: half of the scores
    "report/accounting/difference.py:1e-12",  # where the logarithmic mean loses its digits
}
# How numbers, pictures and near names are shown.
SHOWN = ("spec/number_text.py", "spec/emissions.py", "spec/hardware.py", "report/live.py", "report/tables/",
         "report/formats/", "compiler/check/", "compiler/help/")  # fmt: skip


def test_no_fraction_hides_inside_a_function() -> None:
    """A fraction in the middle of a formula is one of the formula's own, never a figure about the world."""
    found = {
        f"{name}:{number}"
        for name, module in sources()
        if name not in UNITS and not name.startswith(SHOWN)
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef)
        for number in numbers(node)
        if number != int(number)
    }
    assert found == FORMULAS

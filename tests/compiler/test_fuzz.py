"""Mutated and generated specs: whatever the text, a report or a spec comes out, never a traceback.

10,000 mutants in the normal run, 100,000 in `make test-long`; the seed is printed with a failure.
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.compiler.check import CRASHED, check_files
from trainwright.compiler.load.resolve import resolve
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Section, Spec
from trainwright.spec.yaml_source import parse

ROOT = Path(__file__).parents[2]
SEEDS = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((ROOT / "tests/bad/base").glob("*.yaml"))]
WORDS = (
    *("0", "-1", "1", "1.5", "1e9", "1e400", "-0", ".5", "010", "0x1f", "1_0", "999999999999", ".inf", ".nan", "~", ""),
    *("no", "true", "null", "auto", "none", "x", "''", '""', "[]", "{}", "[1, 2]", "{a: b}", "- 1", "? a", "&a", "*a"),
    *(
        "400 W",
        "0 W",
        "4M tokens",
        "1 steps",
        "48h",
        "200 Gbps",
        "1%",
        "110%",
        "2T",
        "fr",
        "llama2-7b",
        "meta-rsc",
        "CPU",
    ),
    *("!!int x", "|", ">", "'", '"', "{", "}", "[", "]", ":", "#", "%", "@", "`", "\t", "\\", "\0", "\u2028", "\x85"),
    *(
        "extends: a.yaml",
        "matrix: {data.seed: [1, 2]}",
        "python:stdlib",
        "../..",
        "/",
        "$(id)",
        "é",
        "\U0001f600",
        "\ud800",
    ),
)


def mutated(text: str, luck: random.Random) -> str:
    """`text` with one to four small changes, at the level of characters, words or lines."""
    for _ in range(luck.randint(1, 4)):
        lines = text.split("\n")
        at = luck.randrange(len(lines))
        kind = luck.randrange(7)
        if kind == 0:
            lines[at] = ""
        elif kind == 1:
            lines.insert(at, luck.choice(lines))
        elif kind == 2:
            lines[at] = " " * luck.randrange(5) + lines[at].lstrip()
        elif kind == 3:
            spot = luck.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:spot] + luck.choice(WORDS) + lines[at][spot + luck.randrange(3) :]
        elif kind == 4:
            key, colon, _ = lines[at].partition(": ")
            lines[at] = key + colon + luck.choice(WORDS)
        elif kind == 5:
            words = lines[at].split(" ")
            words[luck.randrange(len(words))] = luck.choice(WORDS)
            lines[at] = " ".join(words)
        else:
            other = luck.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        text = "\n".join(lines)
    return text


def campaign(folder: Path, count: int, seed: int) -> None:
    """Check `count` mutants; an exception, a crashed rule or a report without a place fails with the text."""
    luck = random.Random(seed)  # noqa: S311 - a test wants the same luck again
    texts = [path.read_text(encoding="utf-8") for path in SEEDS]
    path = folder / "mutant.yaml"
    spent: list[float] = []
    for number in range(count):
        text = mutated(luck.choice(texts), luck)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        start = time.process_time()
        try:
            problems, names = check_files([path])
        except Exception as error:
            raise AssertionError(f"seed {seed}, mutant {number}: {error!r}\n{text}") from error
        spent.append(time.process_time() - start)
        crashed = [problem.message for problem in problems if problem.code == CRASHED]
        assert not crashed, f"seed {seed}, mutant {number}: {crashed}\n{text}"
        assert names or any(problem.severity == "error" for problem in problems), text
        assert all(problem.place for problem in problems), text
    assert sorted(spent)[count * 99 // 100] < 0.5


@pytest.mark.parametrize("seed", range(4))
def test_mutants_of_the_examples_are_reported_or_accepted(tmp_path, seed):
    """4,000 mutants: no exception but InputError."""
    campaign(tmp_path, 1_000, seed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_mutants_of_the_examples_are_reported_or_accepted(tmp_path, seed):
    """100,000 mutants more."""
    campaign(tmp_path, 10_000, seed)


SCALARS = st.one_of(
    st.sampled_from(
        (*WORDS[:28], "400 W", "4M tokens", "100 steps", "48h", "200 Gbps", "1%", "2T", "fr", "CPU", "auto")
    ),
    st.integers(-(2**70), 2**70),
    st.integers(-2, 64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.booleans(),
    st.none(),
)


def sections(kind: type) -> st.SearchStrategy:
    """Mappings with the keys of a section: some missing, some wrong, values of any kind."""
    entries = {name: values(field.annotation) for name, field in kind.model_fields.items()}
    return st.one_of(
        st.fixed_dictionaries({}, optional=entries | {"preset": SCALARS, "extra": SCALARS}),
        st.fixed_dictionaries(entries),
        SCALARS,
    )


def values(annotation: object) -> st.SearchStrategy:
    """Values for a field: of its section, of its choices, or anything."""
    parts = (annotation, *getattr(annotation, "__args__", ()))
    below = [part for part in parts if isinstance(part, type) and issubclass(part, Section)]
    choices = [part for part in getattr(annotation, "__args__", ()) if isinstance(part, str | int)]
    found = [sections(kind) for kind in below] + [st.lists(sections(kind), max_size=2) for kind in below]
    return st.one_of(*found, *([st.sampled_from(choices)] if choices else []), SCALARS, st.lists(SCALARS, max_size=2))


@settings(max_examples=300, derandomize=True, suppress_health_check=list(HealthCheck))
@given(sections(Spec))
def test_generated_specs_are_reported_or_accepted(tree):
    """Specs made from the language's own keys, with values of every kind: a spec or an InputError."""
    problems = ()
    try:
        resolve(parse(json.dumps(tree if isinstance(tree, dict) else {}), "generated"))
    except InputError as error:
        problems = error.problems
    assert all(problem.place and problem.message for problem in problems)

"""The check stage as a whole: all findings at once, a crashing rule hides none, errors stop what comes after."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainwright import cli
from trainwright.compiler import check as stage
from trainwright.compiler.check import (
    CRASHED,
    PLANNED,
    RULES,
    check,
    check_files,
    load_checked,
    load_checked_one,
    require_no_errors,
)
from trainwright.compiler.load import load
from trainwright.spec.problem import InputError, Problem

ROOT = Path(__file__).parents[3]
BAD = ROOT / "tests/bad"
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
MANY = "TW405-unused.yaml"  # a spec with several warnings


def _crash(loaded):
    message = "a mistake of ours"
    raise ValueError(message)


@pytest.fixture(params=range(len(RULES) + len(PLANNED)), ids=lambda index: (*RULES, *PLANNED)[index].CODE)
def crashing(request, monkeypatch):
    """One rule after another replaced by one that raises; its code."""
    rules = [*RULES, *PLANNED]
    code = rules[request.param].CODE
    rules[request.param] = SimpleNamespace(CODE=code, __doc__="", check=_crash)
    monkeypatch.setattr(stage, "RULES", tuple(rules[: len(RULES)]))
    monkeypatch.setattr(stage, "PLANNED", tuple(rules[len(RULES) :]))
    return code


def test_a_crashing_rule_becomes_a_finding_and_hides_no_other(bad, crashing):
    """TW000 names the rule and the line; what the other rules find is still there."""
    loaded = load(bad / MANY)
    found = check(loaded)
    crashed = [problem.message for problem in found if problem.code == CRASHED]
    assert len(crashed) == 1
    assert f"the check {crashing} crashed: ValueError: a mistake of ours (tests/" in crashed[0]
    others = {problem.code for problem in found} - {CRASHED}
    assert others == {"TW405"} - {crashing}


def test_a_crashing_rule_is_our_fault(bad, crashing, monkeypatch, capsys):
    """`trainwright check` exits 3, and shows the other findings."""
    monkeypatch.setattr(sys, "argv", ["trainwright", "check", str(bad / MANY)])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    shown = capsys.readouterr().err
    assert leaving.value.code == 3
    assert CRASHED in shown
    assert ("TW405" in shown.replace(f"the check {crashing}", "")) == (crashing != "TW405")


def test_passed_raises_for_errors_and_returns_the_rest(bad):
    """What compiles a spec gets its warnings, or an InputError with everything."""
    assert {problem.severity for problem in require_no_errors(load(bad / MANY))} == {"warning"}
    with pytest.raises(InputError) as caught:
        require_no_errors(load(bad / "TW307-vocabulary.yaml"))
    assert "TW307" in {problem.code for problem in caught.value.problems}


def test_whoever_plans_gets_only_specs_without_errors(bad):
    """`load_checked` gives good specs, matrices expanded, or the problems of all bad ones at once."""
    names = [loaded.spec.name for loaded in load_checked([ROOT / "examples/ladder.yaml"])]
    assert names == ["ladder-150k", "ladder-350k", "ladder-600k", "ladder-2m"]
    with pytest.raises(InputError) as caught:
        load_checked([bad / "TW307-vocabulary.yaml", bad / MANY, bad / "TW310-none.yaml"])
    errors = {problem.code for problem in caught.value.problems if problem.severity == "error"}
    assert errors == {"TW307", "TW310"}
    assert load_checked_one(bad / MANY).spec.name == "bad"
    with pytest.raises(InputError):
        load_checked_one(bad / "TW307-vocabulary.yaml")


PLANNING = (["estimate"], ["plan"], ["compare"], ["compile"], ["scaling"], ["preflight"], ["diff", str(EXAMPLES[0])])


@pytest.mark.parametrize("words", PLANNING)
def test_no_command_goes_on_with_a_spec_that_has_errors(bad, words, monkeypatch, capsys):
    """A network that is not there was a division by zero in the estimator; now it is the rule that speaks."""
    monkeypatch.setattr(sys, "argv", ["trainwright", *words, str(bad / "TW310-none.yaml")])
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 2
    assert "TW310-none.yaml:2:11: error TW310" in capsys.readouterr().err


@pytest.mark.usefixtures("crashing")
def test_passed_does_not_blame_the_spec_for_our_crash(bad):
    """A crashed rule is a RuntimeError, so that the command line exits 3."""
    with pytest.raises(RuntimeError, match="crashed"):
        require_no_errors(load(bad / MANY))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_have_neither_errors_nor_warnings(path):
    """Only notes: every example can be compiled as it is."""
    problems, names = check_files([path])
    assert names
    assert [problem for problem in problems if problem.severity != "note"] == []


def test_codes_are_unique_and_in_their_block():
    """One rule, one code; the first digit tells errors, warnings and notes apart."""
    codes = [rule.CODE for rule in (*RULES, *PLANNED)]
    assert len(set(codes)) == len(codes)
    assert {code[2] for code in codes} == {"2", "3", "4", "5"}


def test_a_problem_of_some_specs_of_a_matrix_says_which(tmp_path):
    """The name of the run is in the message when other runs of the matrix do not have the problem."""
    spec = tmp_path / "spec.yaml"
    (tmp_path / "base.yaml").write_text((BAD / "base/gpu.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    spec.write_text("extends: base.yaml\nmatrix: {cluster.power_cap: [350 W, 500 W]}\n", encoding="utf-8")
    problems, names = check_files([spec])
    assert names == ["bad-350w", "bad-500w"]
    assert [problem.message[:10] for problem in problems if problem.code == "TW309"] == ["bad-500w: "]


@pytest.mark.parametrize("train", ["{folder}/small.txt", "small.txt", "sm*.txt", "**/sm*.txt", "python:stdlib"])
def test_text_that_is_found_anywhere_is_counted(tmp_path, train):
    """Beside the spec, at an absolute path, or the library's own: 2T tokens are too many of it."""
    (tmp_path / "small.txt").write_text("a few words\n", encoding="utf-8")
    assert "TW407" in _found(tmp_path, train.format(folder=tmp_path))


@pytest.mark.parametrize("train", ["copus/**/*.txt", "**/copus/*.txt", "**.txt", "copus/**", "a" * 300])
def test_a_deep_pattern_that_matches_nothing_is_noted(tmp_path, train):
    """The same note as for a pattern in one folder; preparing the data would refuse it."""
    assert "TW503" in _found(tmp_path, train)


def test_a_deep_pattern_over_thousands_of_folders_is_not_judged(tmp_path, monkeypatch):
    """Whoever writes `/**/*.txt` gets an answer at once, and it is none."""
    monkeypatch.setattr("trainwright.compiler.plan.corpus_tokens.MAX_FOLDERS", 3)
    (tmp_path / "corpus/a/b").mkdir(parents=True)
    assert not {"TW503", "TW407"} & _found(tmp_path, "corpus/**/*.txt")


def test_what_a_pattern_leaves_out_is_noted(tmp_path):
    """Hidden files, links to nothing and second names of a file are counted and named before hours are spent."""
    for name in ("a.txt", ".a.txt"):
        (tmp_path / name).write_text("text\n", encoding="utf-8")
    (tmp_path / "b.txt").symlink_to("nothing")
    noted = [problem.message for problem in _problems(tmp_path, "*.txt") if problem.code == "TW503"]
    assert noted == [
        f"'*.txt' leaves out 1 x a link to nothing ({tmp_path}/b.txt); 1 x hidden ({tmp_path}/.a.txt)",
    ]


@pytest.mark.parametrize("train", [".", "..", "/", "corpus", "corpus/"])
def test_a_folder_is_told_apart_from_a_pattern_that_matches_nothing(tmp_path, train):
    """However it is written, the remedy is a pattern for its files."""
    (tmp_path / "corpus").mkdir()
    assert any(problem.message.endswith("is a folder") for problem in _problems(tmp_path, train))


def _found(folder: Path, train: str) -> set[str]:
    return {problem.code for problem in _problems(folder, train)}


def _problems(folder: Path, train: str) -> list[Problem]:
    """What is wrong with an example whose corpus is `train`."""
    text = (ROOT / "examples/llama2-7b.yaml").read_text(encoding="utf-8")
    path = folder / "spec.yaml"
    path.write_text(re.sub(r"train: [^,]+", f'train: "{train}"', text), encoding="utf-8")
    return check(load(path))

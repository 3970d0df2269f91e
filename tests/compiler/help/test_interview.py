"""The questions of init: a wrong answer is said when it is given, a right one stays, and defaults are always right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.compiler.check import check_files
from trainwright.compiler.help.init_spec import starter_spec
from trainwright.compiler.help.interview import QUESTIONS, Question, interview
from trainwright.compiler.load.presets import presets
from trainwright.compiler.load.sites import sites

ODD = ["", "?", "none", "-1", "0", "yes", "a: b", "{", "\n", "1e9", "ü"]
SPACE = {
    "model": [*presets("model"), "350M", "7B", "70b", "5k"],
    "cluster": [*presets("cluster"), *sites()],
    "gpus": ["1", "2", "4", "7", "8", "16", "64", "1024", "4096"],
    "data": ["python:stdlib", "corpus/*.txt", "it's.jsonl"],
    "tokens": ["1", "1k tokens", "200k", "18M", "20B", "2T", "900T"],
    "region": ["fr", "us-va", "de", "eu", "mars"],
    "power_cap": ["none", "400 W", "350 W", "50 W", "1 kW"],
    "target": ["local", "slurm", "ssh", "kubernetes", "cloud"],
}


@settings(max_examples=30)
@given(
    st.fixed_dictionaries(
        {key: st.lists(st.sampled_from([*values, *ODD]), max_size=2) for key, values in SPACE.items()}
    )
)
def test_whatever_is_answered_the_spec_has_no_error(tmp_path_factory, wanted: dict[str, list[str]]) -> None:
    """Wrong answers are refused one by one; after them the default is taken, and never refused."""
    tries: dict[str, Iterator[str]] = {key: iter(values) for key, values in wanted.items()}
    refused: list[tuple[str, str]] = []
    last: dict[str, str] = {}

    def ask(question: Question, answers) -> str:
        place = "fr" if question.key == "region" else question.default(answers)
        last[question.key] = next(tries[question.key], place)
        if last[question.key] == place:
            tries[question.key] = iter(())
        return last[question.key]

    def refuse(question: Question, problems) -> None:
        assert all(problem.message and problem.remedy for problem in problems)
        refused.append((question.key, last[question.key]))
        assert refused.count(refused[-1]) <= 2, refused[-1]  # a default that is refused is asked for without end

    kept: list[dict[str, str]] = []
    answers = interview({}, ask, refuse, lambda found: kept.append(dict(found)))
    assert kept[-1] == answers
    assert {key: last[key] for key in answers} == answers
    path: Path = tmp_path_factory.mktemp("init") / "spec.yaml"
    path.write_text(starter_spec(answers), encoding="utf-8")
    assert [problem for problem in check_files([path])[0] if problem.severity == "error"] == []


def test_answers_that_are_there_are_not_asked_for_again() -> None:
    """Only what is missing, and what is wrong."""
    asked: list[str] = []

    def ask(question: Question, answers) -> str:
        asked.append(question.key)
        return "fr" if question.key == "region" else question.default(answers)

    interview({"model": "ladder-2m", "cluster": "mars", "gpus": "2"}, ask, lambda *_: None, lambda _: None)
    assert asked == ["cluster", "data", "tokens", "region", "target"]


def test_every_question_shows_its_choices() -> None:
    """What may be answered is there to read before it is answered."""
    answers = {"model": "llama2-7b", "cluster": "dgx-a100-pod"}
    assert all(question.choices(answers) for question in QUESTIONS)
    assert "100 W to 400 W" in next(q for q in QUESTIONS if q.key == "power_cap").choices(answers)

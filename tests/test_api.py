"""The Python API: the stages as functions, for other programs."""

from __future__ import annotations

import inspect
from importlib.resources import files
from pathlib import Path

import pytest

import trainwright
from trainwright import api
from trainwright.tests.report.folders import Log

ROOT = Path(__file__).parents[1]
TINY = ROOT / "examples/tiny-cpu.yaml"


def test_the_stages_follow_each_other(tmp_path, capfd):
    """A spec is loaded, planned, estimated, compiled and written by functions alone; none of them prints."""
    spec = trainwright.load(TINY, sets=["training.global_batch=32 sequences"])
    assert spec.spec.training.global_batch.text == "32 sequences"
    layout = trainwright.plan(spec).best.layout
    assert (layout.gpus, layout.global_batch) == (2, 32)
    assert trainwright.estimate(spec).layout == layout.model_dump()
    files = trainwright.compile(spec, target="slurm")
    assert api.write_bundle(files, tmp_path / "out")
    assert not api.write_bundle(files, tmp_path / "out")
    assert (tmp_path / "out/plan.json").read_text(encoding="utf-8") == files["plan.json"]
    assert capfd.readouterr() == ("", "")


def test_a_path_stands_for_its_spec():
    """Functions take what `load` takes."""
    assert trainwright.estimate(str(TINY)) == trainwright.estimate(trainwright.load(TINY))


@pytest.mark.parametrize("name", ["load", "plan", "estimate", "compile"])
def test_mistakes_are_raised_with_all_their_problems(tmp_path, name):
    """InputError holds each problem with its place; `check` lists the same and raises nothing."""
    wrong = tmp_path / "spec.yaml"
    wrong.write_text("name: x\nmodle: y\ntraining: {precision: bf61}\n", encoding="utf-8")
    with pytest.raises(api.InputError) as raised:
        getattr(trainwright, name)(wrong)
    found = {(problem.code, problem.path) for problem in raised.value.problems}
    assert {("TW201", "modle"), ("TW204", "training.precision")} <= found
    assert found == {(problem.code, problem.path) for problem in trainwright.check(wrong)}


def test_a_report_is_a_value(tmp_path):
    """Run folders in, typed figures out; the package of the report keeps its modules."""
    log = Log()
    log.start()
    log.steps(1, 100)
    found = trainwright.report(log.write(tmp_path / "run"))
    assert [run.label for run in found.runs] == ["tiny"]
    assert trainwright.report.values.Report is type(found)
    with pytest.raises(api.InputError):
        trainwright.report(tmp_path / "nowhere")


def test_names_are_as_published():
    """Both lists of names are complete and sorted, and no other name is offered."""
    assert [name for name in api.__all__ if not hasattr(api, name)] == []
    assert api.__all__ == sorted(api.__all__)
    assert trainwright.__all__ == sorted(trainwright.__all__)
    with pytest.raises(AttributeError, match="no attribute 'launch'"):
        _ = trainwright.launch


def test_the_package_is_marked_as_typed():
    """Without the marker a type checker takes none of the types."""
    assert files("trainwright").joinpath("py.typed").is_file()
    assert all(inspect.signature(getattr(trainwright, name)).return_annotation for name in trainwright.__all__[1:])

"""Run folders as what `calibrate` and `backtest` learn from: each attempt with the spec that it ran with."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import median

import pytest

from trainwright import api
from trainwright.compiler.backtest.backtest import backtest
from trainwright.compiler.backtest.calibrate import calibrate
from trainwright.compiler.backtest.own_runs import WARM_UP, own_attempts
from trainwright.compiler.plan.calibration_table import calibration_table
from trainwright.spec.problem import InputError

EXAMPLE = Path(__file__).parents[3] / "examples" / "llama2-7b.yaml"


@pytest.fixture(scope="module")
def bundle():
    """The files of a bundle of 7B, and the seconds a step that its estimate predicts."""
    files = api.compile(api.load(EXAMPLE))
    return files, json.loads(files["estimate.json"])["step_seconds"]["value"]


@pytest.fixture
def ran(bundle, tmp_path):
    """The maker of a run folder: attempts whose steps took so many times the predicted seconds, at so many watts."""

    def make(name, *slower, steps=20, watts=None, lock=True):
        files, predicted = bundle
        lines = []
        for number, factor in enumerate(slower, 1):
            kept = tmp_path / name / "attempts" / str(number)
            kept.mkdir(parents=True)
            for file in ("plan.json", "estimate.json", *(["spec.lock.yaml"] if lock else [])):
                (kept / file).write_text(files[file])
            lines.append({"kind": "start", "attempt": number, "world_size": 2, "measured": watts is not None})
            lines += [
                {
                    "kind": "step",
                    "attempt": number,
                    "step": step,
                    "seconds": predicted * (9 if step <= WARM_UP else factor),
                    "power_watts": watts and 2 * watts,
                }
                for step in range(1, steps + 1)
            ]
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return tmp_path / name

    return make


def test_a_run_as_predicted_needs_no_calibration(ran):
    """The factor of a run that took the predicted time is 1, whatever its first steps took; a slower one's is lower."""
    same, slower = calibrate(ran("a", 1.0, 1.25)).fits
    assert (same.id, same.factor) == ("a #1", pytest.approx(1, abs=1e-3))
    assert slower.factor < 0.9


def test_the_calibrated_estimate_predicts_the_run(ran, bundle, tmp_path):
    """A spec that names the file gets the run's own time, and its estimate says so and from where."""
    fitted = calibrate(ran("a", 1.2))
    (tmp_path / "calibration.yaml").write_text(fitted.text("a"))
    (tmp_path / "spec.yaml").write_text("extends: calibration.yaml\n" + bundle[0]["spec.lock.yaml"])  # same layout
    loaded = api.load(tmp_path / "spec.yaml")
    found = api.estimate(loaded)
    assert found.step_seconds.value == pytest.approx(1.2 * bundle[1], rel=1e-3)
    assert any(note.startswith("Calibrated: ") for note in found.notes)
    (row,) = calibration_table([loaded]).rows
    assert row[3].text.endswith("calibration.yaml:3")
    assert calibration_table([api.load(EXAMPLE)]) is None


def test_each_run_is_predicted_by_the_others(ran):
    """The error of a left-out run is that of the others' factor; attempts of one run are left out together."""
    fits = calibrate(ran("a", 1.2, 1.2), ran("b", 1.2), ran("c", 1.5)).fits
    assert [fit.error for fit in fits[:3]] == pytest.approx([0.0, 0.0, 0.0], abs=0.13)
    assert fits[3].error == pytest.approx(1.2 / 1.5 - 1, abs=1e-3)
    (lone, again) = calibrate(ran("d", 1.2, 1.3)).fits
    assert (lone.error, again.error) == (None, None)
    assert median([lone.factor, again.factor]) == pytest.approx(calibrate(ran("e", 1.2, 1.3)).factor)


def test_backtest_of_a_run(ran, bundle):
    """Predicted beside measured: the time a step, and the draw where an instrument measured it."""
    rows = {row.kind: row for row in backtest(ran("a", 1.25, watts=350.0)).rows}
    assert rows["iteration_time"].error == pytest.approx(-0.2)
    assert rows["power"].actual == 350
    assert 100 < rows["power"].predicted <= 400
    assert [row.kind for row in backtest(ran("b", 1.25)).rows] == ["iteration_time"]


def test_what_says_too_little_is_refused_with_its_reason(ran, tmp_path):
    """A run without steps, without its spec, or no run at all: exit 2 with the reason, never a factor."""
    for run, reason in (
        (ran("short", 1.0, steps=WARM_UP + 1), "1 of its steps come after the first 5: at least 5 are needed"),
        (ran("none"), "it never started"),
        (ran("bare", 1.0, lock=False), "the spec that it ran with is unknown"),
    ):
        for command in (calibrate, backtest):
            with pytest.raises(InputError, match="TW856") as refused:
                command(run)
            assert reason in refused.value.problems[0].remedy
    with pytest.raises(InputError, match="TW861"):
        calibrate(tmp_path)


def test_what_cannot_be_used_is_named_beside_what_can(ran):
    """A broken spec of one attempt is skipped with its reason; the other attempt counts."""
    folder = ran("a", 1.0, 1.0)
    (folder / "attempts" / "2" / "spec.lock.yaml").write_text("nonsense: [")
    skipped = []
    assert [own.id for own in own_attempts(folder, skipped)] == ["a #1"]
    assert [name for name, _ in skipped] == ["a #2"]

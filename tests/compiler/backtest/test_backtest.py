"""Promises of the backtest, and the accuracy that a change must not lose."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from trainwright.compiler.backtest.backtest import backtest, predictions
from trainwright.compiler.backtest.calibrate import calibrate
from trainwright.compiler.backtest.read_runs import read_runs
from trainwright.compiler.load import load
from trainwright.compiler.plan.estimate import predict
from trainwright.spec.problem import InputError
from trainwright.tests.compiler.backtest.rows import run
from trainwright.tests.compiler.specs import loaded

DATA = Path(__file__).parents[2] / "data" / "published_runs"
RUN = {
    "id": "mine", "kind": "benchmark", "layers": 32, "hidden": 4096, "ffn": 11008, "mlp_gated": True, "heads": 32,
    "kv_heads": 32, "vocab": 32000, "seq_len": 4096, "gbs_seqs": 256, "micro_batch": 2, "gpu": "A100-SXM4-80GB",
    "gpus": 128, "gpus_per_node": 8, "net_gbps_per_gpu": 200, "zero_stage": 3, "framework": "Trainwright",
    "act_ckpt": "none", "tokens_per_s_per_gpu": 3000.0, "mem_per_gpu_gib": 50.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def published():
    """Every carried row, predicted once."""
    return backtest(DATA / "published_runs.yaml")


def _write(folder, rows, name="runs.yaml"):
    path = folder / name
    path.write_text(yaml.safe_dump(rows), encoding="utf-8")
    return path


def test_a100_throughput_stays_accurate(published):
    """Median at most 7%, 90th percentile at most 18% on A100 rows."""
    rows = {row.id: row for row in read_runs(DATA, (DATA / "published_runs.yaml").read_text(encoding="utf-8"))}
    errors = sorted(
        abs(row.error) for row in published.rows if row.kind == "throughput" and "A100" in (rows[row.id].gpu or "")
    )
    assert len(errors) > 80
    assert errors[len(errors) // 2] <= 0.07
    assert errors[int(0.9 * len(errors))] <= 0.18


@pytest.mark.parametrize(
    ("kind", "limit"), [("throughput", 0.055), ("memory", 0.07), ("power_cap", 0.02), ("power", 0.02)]
)
def test_median_errors_stay_small(published, kind, limit):
    """The regression pin by kind of figure."""
    assert published.summary()[kind].median <= limit


def test_llama2_hours_within_twelve_percent(published):
    """All four rows of Table 2, from size, tokens, cluster and cap alone."""
    found = {row.id: row.error for row in published.rows if row.kind == "gpu_hours" and row.id.startswith("llama2")}
    assert len(found) == 4
    assert max(map(abs, found.values())) <= 0.12


@pytest.mark.parametrize("name", ["new_sources.yaml", "more_rows.yaml", "published_runs_2026-11-28.yaml"])
@pytest.mark.parametrize("kind", ["throughput", "memory"])
def test_printed_ranges_hold_rows_collected_later(name, kind):
    """Three of four rows that came after the fit lie within the range that is printed for them."""
    assert backtest(DATA / name).summary()[kind].inside >= 0.75


@pytest.mark.parametrize(
    ("name", "limit"), [("new_sources.yaml", 0.08), ("more_rows.yaml", 0.055), ("published_runs_2026-11-28.yaml", 0.06)]
)
def test_rows_collected_later_stay_near(name, limit):
    """The median throughput error of stacks and rows that came after the fit."""
    assert backtest(DATA / name).summary()["throughput"].median <= limit


def test_arithmetic_that_a_device_lacks_is_never_guessed(tmp_path):
    """8 bits on an A100 are skipped with the reason; bf16 on a V100 runs at fp16's speed, as such rows did."""
    rows = [RUN | {"id": "eight", "precision": "fp8"}, RUN | {"id": "four", "precision": "int4"}]
    found = backtest(_write(tmp_path, rows))
    assert not found.rows
    assert dict(found.skipped)["eight"] == "A100-SXM4-80GB has no fp8 arithmetic in the table"
    old = [RUN | {"id": kind, "gpu": "V100-SXM2-32GB", "precision": kind} for kind in ("bf16", "fp16")]
    bf16, fp16 = (row.predicted for row in backtest(_write(tmp_path, old)).rows if row.kind == "throughput")
    assert bf16 == pytest.approx(fp16, rel=0.05)


@pytest.mark.parametrize(("name", "limit"), [("vtrain_multi.csv", 0.12), ("vtrain_single.csv", 0.20)])
def test_vtrain_iteration_times(name, limit):
    """Mean absolute error of every measured iteration."""
    assert backtest(DATA / name).summary()["iteration_time"].mean <= limit


def test_every_row_is_predicted_or_skipped_with_a_reason(published):
    """Nothing is dropped in silence."""
    rows = read_runs(DATA, (DATA / "published_runs.yaml").read_text(encoding="utf-8"))
    seen = {row.id for row in published.rows} | {name for name, _ in published.skipped}
    assert seen == {row.id for row in rows}
    assert all(reason for _, reason in published.skipped)


def test_measurements_are_not_read_before_predicting(tmp_path):
    """Ten times the measured speed and memory: the same predictions."""
    honest = backtest(_write(tmp_path, [RUN]))
    lying = RUN | {"tokens_per_s_per_gpu": 30000.0, "mem_per_gpu_gib": 500.0, "mfu_pct": 99, "step_time_s": 0.01}
    assert [r.predicted for r in backtest(_write(tmp_path, [lying])).rows] == [r.predicted for r in honest.rows]


def test_json_shape(tmp_path):
    """The documented keys, and nothing else."""
    found = backtest(_write(tmp_path, [RUN, {"id": "bare", "kind": "benchmark"}])).as_json()
    assert set(found) == {"summary", "rows", "skipped"}
    shape = {"id", "kind", "predicted", "actual", "error", "spread", "low", "high", "assumed"}
    assert set(found["rows"][0]) == shape
    assert set(found["summary"]["throughput"]) == {"n", "median", "mean", "p90", "bias", "inside"}
    assert found["skipped"] == [{"id": "bare", "reason": "the row does not say sequence_length"}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "TW107"), ("a: 1", "TW854"), ("[", "TW102"), ("- 5", "TW855"), ("- {kind: benchmark}", "TW202"),
        ("- {id: a}\n- {id: a}", "TW855"), ("- {id: a, layers: -3}", "TW205"), ("- {id: a, gpus: many}", "TW203"),
        ("- {id: a, hidden: .inf}", "TW108"), ("- {id: a, zero_stage: 7}", "TW204"), ("- {id: a, tp: 0.5}", "TW203"),
        ("- !!python/object:os.system {}", "TW105"), ("- {id: a, tensors: 8}", "TW201"),
        ("- {id: a, tp: 8, tensor: 4}", "TW104"), ("- {id: a, power_cap: 350}", "TW206"),
        ("- {id: a, activation_checkpointing: some}", "TW208"), ("- {id: a, kind: run}", "TW204"),
    ],
)  # fmt: skip
def test_malformed_files_are_refused(tmp_path, text, code):
    """InputError with a code, never a traceback."""
    path = tmp_path / "runs.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        backtest(path)
    assert {problem.code for problem in refused.value.problems} == {code}


@pytest.mark.parametrize(
    "text",
    ["", "# only a header\n", "1,2,3\n", "8,16,2,2048,16,24,1024,2,4,x,252\n", "8,0,2,2048,16,24,1024,2,4,1,252\n"],
)
def test_malformed_csv_is_refused(tmp_path, text):
    """A file without measurements, with the wrong columns, or with zeros."""
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="TW853"):
        backtest(path)


@pytest.mark.parametrize(
    "change",
    [
        {"heads": 7},
        {"gpus": 3},
        {"tp": 5, "dp": 1},
        {"micro_batch": 1000},
        {"gpu": "Abacus"},
        {"heads": 5000},
        {"gpu_power_cap_w": 1},
    ],
)
def test_odd_rows_never_crash(tmp_path, change):
    """Contradictory descriptions give a figure or a reason, never a traceback."""
    found = backtest(_write(tmp_path, [RUN | change]))
    assert found.rows or found.skipped


def test_calibration_reproduces_one_run(tmp_path):
    """One run, one factor: the model with it predicts the run, and a spec takes the file."""
    path = _write(tmp_path, [RUN])
    fitted = calibrate(path)
    assert 0.5 < fitted.factor < 1.5
    (tmp_path / "calibration.yaml").write_text(fitted.text(path.name), encoding="utf-8")
    example = (Path(__file__).parents[3] / "examples" / "llama2-7b.yaml").read_text(encoding="utf-8")
    (tmp_path / "spec.yaml").write_text("extends: calibration.yaml\n" + example, encoding="utf-8")
    assert load(tmp_path / "spec.yaml").spec.cluster.efficiency == pytest.approx(fitted.factor, abs=1e-4)


def test_calibration_needs_a_usable_run(tmp_path):
    """A file without a speed is an error that gives each run's reason."""
    with pytest.raises(InputError, match="TW856"):
        calibrate(_write(tmp_path, [{key: value for key, value in RUN.items() if key != "tokens_per_s_per_gpu"}]))


def test_the_specs_own_keys_are_understood(tmp_path):
    """`activation_checkpointing: full` is the same run as `act_ckpt: full`, and another one than `none`."""
    run = {key: value for key, value in RUN.items() if key not in ("act_ckpt", "gbs_seqs", "net_gbps_per_gpu")}
    own = run | {"activation_checkpointing": "full", "global_batch": "256 sequences", "bandwidth_per_gpu": "200 Gbps"}
    short, said, other = (calibrate(_write(tmp_path, [row])).factor for row in (RUN | {"act_ckpt": "full"}, own, RUN))
    assert short == said
    assert abs(short / other - 1) > 0.1


def test_rows_may_stand_beside_notes(tmp_path):
    """As `benchmarks/first_gpu.sh` writes them; any other mapping is no list of runs."""
    about = {"tests": {"passed": 5}}
    noted = _write(tmp_path, {"about": about, "runs": [RUN]}, "noted.yaml")
    assert read_runs(noted, noted.read_text()) == [run(RUN)]
    assert calibrate(noted).factor == calibrate(_write(tmp_path, [RUN])).factor
    other = _write(tmp_path, {"about": about, "runs": [RUN], "run": []})
    with pytest.raises(InputError) as raised:
        read_runs(other, other.read_text())
    assert raised.value.problems[0].code == "TW854"


def test_an_unknown_key_names_its_place_and_the_nearest(tmp_path):
    """A typo in a row is an error with line and column, never a default."""
    path = tmp_path / "runs.yaml"
    path.write_text("- id: mine\n  activation_checkpoint: full\n", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        backtest(path)
    (problem,) = refused.value.problems
    assert (problem.place.line, problem.place.column) == (2, 3)
    assert problem.remedy == "Did you mean `activation_checkpointing`?"


def test_one_question_has_one_number():
    """The row of Llama 2 7B on the devices of its example, in the example's layout: the estimate's hours."""
    found = predict(loaded("llama2-7b").spec, "production")
    text = (DATA / "published_runs.yaml").read_text(encoding="utf-8")
    (row,) = [row for row in read_runs(DATA, text) if row.id == "llama2-7b"]
    said = {"gpus": found.devices, "micro_batch": found.layout["micro_batch"], "zero": found.layout["zero"]}
    hours = {p.kind: p.predicted for p in predictions(row.model_copy(update=said))}["gpu_hours"]
    assert hours == pytest.approx(found.device_hours.value, rel=0.001)
    (other,) = [p for p in predictions(row) if p.kind == "gpu_hours"]
    assert other.assumed == "512 devices, data 512, ZeRO 3, micro batch 2"

"""`estimate`, `plan`, `scaling`, `backtest` and `calibrate` as a user calls them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

import trainwright

ROOT = Path(trainwright.__file__).parent
LLAMA = [str(ROOT / "examples" / f"llama2-{size}.yaml") for size in ("7b", "13b", "34b", "70b")]
RUNS = ROOT / "tests" / "data" / "published_runs"
HEAVY = ("torch", "numpy", "deepspeed", "matplotlib", "jinja2", "pandas")


def _run(*arguments, cwd=None):
    code = (
        "import sys\nfrom trainwright.cli import main\ntry:\n    main()\nfinally:\n"
        f"    print('LOADED', [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_estimate_prints_table_2_and_says_that_rows_are_truncated():
    """The four rows and the total of the paper, from published hours, without loading anything heavy."""
    done = _run("estimate", *LLAMA)
    assert done.returncode == 0
    for digits in ("31.22", "62.44", "153.90", "291.42", "539.00", "538.98"):
        assert digits in done.stdout
    assert "truncates" in done.stdout
    assert "LOADED []" in done.stderr


def test_estimate_speaks_every_format():
    """JSON and CSV parse, Markdown and LaTeX hold a table."""
    found = json.loads(_run("estimate", LLAMA[0], "--format", "json").stdout)
    assert found[0]["name"] == "llama2-7b"
    assert found[0]["device_hours"]["low"] < found[0]["device_hours"]["value"] < found[0]["device_hours"]["high"]
    rows = list(csv.reader(_run("estimate", LLAMA[0], "--format", "csv").stdout.splitlines()))
    assert any(row and row[0] == "Device hours" and float(row[1]) > 0 for row in rows)
    assert "| Device hours |" in _run("estimate", LLAMA[0], "--format", "md").stdout
    assert r"\toprule" in _run("estimate", LLAMA[0], "--format", "latex").stdout


def test_estimate_of_a_small_run_uses_units_that_fit():
    """Minutes and milligrams, not 1e-9 tonnes."""
    shown = _run("estimate", ROOT / "examples/tiny-cpu.yaml").stdout
    row = next(line for line in shown.splitlines() if line.startswith((" Carbon (g", " Carbon (mg")))
    assert "e-" not in row
    assert " Time (min)" in shown or " Time (s)" in shown


def test_without_a_cap_the_default_limit_is_taken_and_said(tmp_path):
    """A GPU draws at most its default limit: carbon at it is known, and labelled."""
    fabric = "{kind: infiniband, bandwidth_per_node: 200 GB/s}"
    cluster = f"{{gpu: A100-SXM4-80GB, gpus: 1024, gpus_per_node: 8, interconnect: {fabric}}}"
    text = (ROOT / "tests/bad/base/gpu.yaml").read_text(encoding="utf-8")
    spec = tmp_path / "spec.yaml"
    spec.write_text(text.replace("{preset: meta-rsc, gpus: 1024}", cluster), encoding="utf-8")
    shown = _run("estimate", spec).stdout
    assert "none (default limit 400)" in shown
    assert "(at the default limit)" in shown


def test_plan_says_why_the_others_lose():
    """The chosen layout first, then slower ones with the reason."""
    found = json.loads(_run("plan", LLAMA[3], "--format", "json").stdout)
    assert found[0]["reason"] == "chosen"
    assert any("slower" in row["reason"] for row in found[1:])
    assert any("does not fit" in row["reason"] for row in found)


def test_plan_of_the_impossible_exits_2_with_a_remedy():
    """A model that fits nowhere: what is wrong and what would work, no traceback."""
    done = _run("plan", LLAMA[3], "--set", "cluster.gpus=8")
    assert done.returncode == 2
    assert "no layout fits" in done.stderr
    assert "Traceback" not in done.stderr


def test_scaling_says_its_tokens_as_the_spec_does():
    """2T tokens, not 2e+12."""
    assert "2T tokens" in _run("scaling", LLAMA[0], "--gpus", "512").stdout


def test_scaling_draws_its_curves(tmp_path):
    """A table with each point, and a picture file."""
    options = ("--gpus", "64..256", "--interconnect", "infiniband,roce", "--power-cap", "400W,350W")
    done = _run("scaling", LLAMA[0], *options, "--plot", tmp_path / "curves.png", "--format", "json")
    points = json.loads(done.stdout)
    assert len(points) == 3 * 2 * 2
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "options", [("--gpus", "0"), ("--power-cap", "1W"), ("--interconnect", "string"), ("--gpus", "8..4")]
)
def test_scaling_refuses_nonsense(options):
    """Exit 2 or a row that says why, never a traceback."""
    done = _run("scaling", LLAMA[0], "--gpus", "64", *options, "--format", "csv")
    assert "Traceback" not in done.stderr
    assert done.returncode == 2 or "takes a cap from 100 W to 400 W, not 1 W" in done.stdout


def test_backtest_prints_errors_by_kind():
    """The summary of the carried rows, as text and as the documented JSON."""
    done = _run("backtest", RUNS / "vtrain_multi.csv", "--format", "json")
    found = json.loads(done.stdout)
    assert found["summary"]["iteration_time"]["n"] == 51
    assert "LOADED []" in done.stderr
    assert "Median" in _run("backtest", RUNS / "published_runs.yaml").stdout


def test_backtest_of_a_malformed_file_exits_2(tmp_path):
    """The line, and no traceback."""
    (tmp_path / "bad.csv").write_text("8,16,2,x\n", encoding="utf-8")
    done = _run("backtest", tmp_path / "bad.csv")
    assert done.returncode == 2
    assert "bad.csv:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_calibrate_writes_a_file_that_a_spec_takes(tmp_path):
    """Fit, name the file in a spec, estimate with it."""
    row = (
        "- {id: mine, kind: benchmark, layers: 32, hidden: 4096, ffn: 11008, mlp_gated: true, heads: 32,\n"
        "   vocab: 32000, seq_len: 4096, gbs_seqs: 256, gpu: A100-SXM4-80GB, gpus: 128, zero_stage: 3,\n"
        "   micro_batch: 2, framework: Trainwright, tokens_per_s_per_gpu: 3300}\n"
    )
    (tmp_path / "runs.yaml").write_text(row, encoding="utf-8")
    assert _run("calibrate", "runs.yaml", cwd=tmp_path).returncode == 0
    spec = "extends: calibration.yaml\n" + Path(LLAMA[0]).read_text(encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(spec, encoding="utf-8")
    assert _run("estimate", "spec.yaml", cwd=tmp_path).returncode == 0


def test_plan_under_a_sites_power_prints_draws_and_ends_with_its_code(tmp_path):
    """Points as a table and a picture; 2 where nothing keeps the limits, and where --under is missing."""
    site = ("--set", "limits.site_power=205 kW")
    done = _run("plan", LLAMA[3], "--under", *site, "--format", "json", "--plot", tmp_path / "power.png")
    assert done.returncode == 0
    points = {(p["devices"], p["setup"]["power_cap"]): p["estimate"] for p in json.loads(done.stdout)}
    assert points[1024, 200]["days"]["value"] < points[512, 400]["days"]["value"]
    assert (tmp_path / "power.png").read_bytes().startswith(b"\x89PNG")
    tight = _run("plan", LLAMA[3], "--under", *site, "--set", "limits.days=10", "--format", "md")
    assert (tight.returncode, "TW876" in tight.stderr) == (2, True)
    assert "over the limit of days" in tight.stdout
    lone = _run("plan", LLAMA[3], "--plot", tmp_path / "x.png")
    assert (lone.returncode, "TW875" in lone.stderr) == (2, True)

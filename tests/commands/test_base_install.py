"""What the base installation can do, and what it says where a package of an extra is missing."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from trainwright.spec.facts import facts
from trainwright.tests.report.folders import Log

ROOT = Path(__file__).parents[2]
TINY, LLAMA = str(ROOT / "examples/tiny-cpu.yaml"), str(ROOT / "examples/llama2-7b.yaml")
RUNS = str(ROOT / "tests/data/published_runs/new_sources.yaml")
MODULES = [module for modules in facts("extras").values() for module in modules]
HIDDEN = "import sys; sys.modules.update(dict.fromkeys({0})); sys.argv = {1}; from trainwright.cli import main; main()"
ANSWERS = [
    ["--help"], ["check", TINY], ["explain", "TW206"], ["presets"], ["schema"], ["fmt", "--check", TINY],
    ["diff", TINY, LLAMA], ["plan", TINY], ["estimate", TINY, LLAMA], ["scaling", LLAMA], ["backtest", RUNS],
    ["calibrate", RUNS], ["compile", TINY], ["compile", LLAMA], ["compare", TINY, LLAMA, "-o", "compared"],
    ["reproduce", "llama2"], ["report", "run"], ["status", "run"], ["watch", "run"], ["completion", "bash"],
    ["init", "new.yaml", "--region", "fr"],
]  # fmt: skip
REFUSES = [
    ["launch", TINY], ["preflight", TINY], ["export", "run", "-o", "x"], ["import", "run", "-o", "x"],
    ["scaling", LLAMA, "--plot", "x.png"],
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A folder with a run of 100 steps."""
    log = Log()
    log.start()
    log.steps(1, 100)
    log.write(tmp_path / "run")
    return tmp_path


def base(folder, words, hidden=MODULES):
    """A command where the packages of the extras cannot be imported."""
    code = HIDDEN.format(hidden, ["trainwright", *words])
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", ANSWERS, ids=lambda words: words[0])
def test_the_base_install_plans_and_reports(folder, words):
    """Every planning command, and reports without figures."""
    done = base(folder, words)
    assert done.returncode == 0, done.stderr
    assert ("pip install" in done.stdout) == (words[0] in ("report", "reproduce") or "-o" in words)


@pytest.mark.parametrize("words", REFUSES, ids=lambda words: words[0])
def test_other_commands_say_in_one_line_what_to_install(folder, words):
    """One line with the package and the command that brings it; nothing is written."""
    before = sorted(folder.rglob("*"))
    done = base(folder, words)
    (line,) = done.stderr.splitlines()[-1:]
    assert (done.returncode, done.stdout) == (2, "" if words[0] != "scaling" else done.stdout)
    assert line.startswith("error TW641: this needs ")
    assert line.endswith("which is not installed: pip install 'trainwright[train]'")
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("module", ["torch", "deepspeed", "pynvml", "tensorboard"])
def test_launch_looks_before_it_starts(folder, module):
    """A package that only the training processes need is missed before a run folder is made."""
    done = base(folder, ["launch", TINY], [module])
    assert (done.returncode, f"this needs {module}" in done.stderr) == (2, True)
    assert not (folder / "runs").exists()


def test_the_table_of_extras_is_that_of_the_package():
    """Each extra's modules are those that its distributions in pyproject.toml bring."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    brought = packages_distributions()
    for extra, modules in facts("extras").items():
        wanted = {requirement.partition(">")[0] for requirement in declared[extra]}
        known = {name.replace("_", "-") for module in modules for name in brought.get(module, [])}
        assert known <= wanted, extra
        assert len(modules) == len(wanted), extra


@pytest.fixture(scope="session")
def wheel_alone(tmp_path_factory):
    """The program of a new environment with the pinned base packages and the wheel, and nothing else."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(place), str(ROOT)]
    subprocess.run(pip, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", place / "venv"], check=True)
    install = [place / "venv/bin/python", "-m", "pip", "install", "--quiet"]
    pinned = ["--require-hashes", "-r", ROOT / "requirements-base.txt"]
    subprocess.run([*install, *pinned], check=True, capture_output=True)
    subprocess.run([*install, "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    subprocess.run([place / "venv/bin/python", "-m", "pip", "check"], check=True, capture_output=True)
    return place / "venv/bin/trainwright"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("words", [*ANSWERS, ["presets", "sites"], *REFUSES], ids=" ".join)
def test_the_wheel_alone_answers_or_says_what_to_install(folder, words, wheel_alone):
    """In a fresh environment every planning command answers, and the others say in one line what they need."""
    done = subprocess.run([wheel_alone, *words], cwd=folder, capture_output=True, text=True, check=False)
    refused = words in REFUSES
    assert done.returncode == (2 if refused else 0), done.stderr
    assert refused == ("error TW641" in done.stderr and "pip install 'trainwright[train]'" in done.stderr)

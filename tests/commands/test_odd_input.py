"""Odd input to every command: files of another kind, options that do not apply. Exit 2, and never a traceback."""

from __future__ import annotations

import io
import shlex
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from trainwright import cli
from trainwright.tests.report.folders import Log

TINY = Path(__file__).parents[2] / "examples" / "tiny-cpu.yaml"
ODD = ("missing", "folder", "empty", "binary", "/dev/null")
READ = """
check X | fmt X | diff X t.yaml | diff t.yaml X | plan X | estimate X | scaling X | backtest X
calibrate X -o c.yaml | compile X -o b | preflight X | launch X | launch X --dry-run | status X | stop X --no-wait
watch X | report X | compare X | compare t.yaml X | receipt X | verify X | verify X run | reproduce X
reproduce llama2 --run X | export X -o e | import X -o i | explain X | presets X | schema X | completion X
data prepare X | data show abc --store X | data verify abc --store X
"""
STORES = """
data list --store X | data prune --store X | data verify --store X
"""
WRONG = """
check t.yaml --format nope | check t.yaml --set nonsense | check t.yaml --set =3
check t.yaml --set 'cluster.gpus=[' | check t.yaml --wrong | explain TW999 | explain cluster.nope | explain ''
explain TW206 --markdown | presets --format nope | fmt t.yaml --set a=b | diff t.yaml
diff t.yaml t.yaml --set-a nonsense | plan t.yaml --top 0 | plan t.yaml --stack nope | plan t.yaml --goal carbon
plan t.yaml --plot x.png | plan t.yaml --under --top 3 | plan t.yaml --under --all | estimate t.yaml --stack nope
scaling t.yaml --gpus x | scaling t.yaml --gpus 0 | scaling t.yaml --gpus 8..4 | scaling t.yaml --gpus ''
scaling t.yaml --interconnect nope | scaling t.yaml --power-cap x | scaling t.yaml --plot folder
scaling t.yaml --plot x.nope | calibrate run -o folder | compile t.yaml --target nope
compile t.yaml -o /dev/null/x | compile t.yaml t.yaml -o b | compile t.yaml --check --force
launch t.yaml --target nope | launch t.yaml --follow | launch t.yaml --dry-run --no-follow
launch t.yaml --run empty --dry-run | launch t.yaml --out empty --dry-run | status run --format nope | stop run
report | report run --format nope | report run --json --format csv | report run --format csv -o o
report run --json -o o | report run --schema | report run -o empty | compare run --caps | compare run --set a=b
compare run --region nope | compare t.yaml --caps | compare run -o empty | receipt run --sign t.yaml
receipt run -o o --sign missing | receipt run -o folder | verify binary run --signers nope
reproduce llama2 --format csv -o o | reproduce llama2 --run run --receipt r | reproduce llama2 --receipt r -o o
reproduce llama2 --receipt r --format csv | reproduce llama2 -o empty | export run -o folder
import folder -o /elsewhere | init a.yaml --model nope | init a.yaml --gpus 0 | init a.yaml --tokens x
init a.yaml --region nope | init a.yaml --target kubernetes | init a.yaml --power-cap x | init a.yaml --cluster nope
init a.yaml --name ../x | init t.yaml --model ladder-600k --region fr | init folder | completion nope | nope
--nope | data | data nope
"""


def lines(text: str) -> list[str]:
    """The command lines of a table."""
    return [line.strip() for part in text.splitlines() for line in part.split("|") if line.strip()]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder with a spec, a run, and things that are neither."""
    folder = tmp_path_factory.mktemp("odd")
    shutil.copy(TINY, folder / "t.yaml")
    (folder / "folder").mkdir()
    (folder / "empty").touch()
    (folder / "binary").write_bytes(bytes(range(256)) * 40)
    log = Log()
    log.start()
    log.steps(1, 10)
    log.write(folder / "run")
    return folder


@pytest.fixture
def refused(project, monkeypatch, capsys):
    """Run a command line that must be refused: exit 2, the reason on standard error, and nothing new in the folder."""
    monkeypatch.chdir(project)

    def runner(line: str) -> None:
        before = sorted(project.rglob("*"))
        monkeypatch.setattr(sys, "argv", ["trainwright", *shlex.split(line)])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: False))
        with pytest.raises(SystemExit) as left:
            cli.main()
        said = capsys.readouterr().err
        assert (left.value.code, bool(said), "an unexpected error" in said) == (2, True, False), (line, said)
        assert sorted(project.rglob("*")) == before, line

    return runner


@pytest.mark.parametrize("line", lines(READ))
def test_a_file_that_is_something_else_is_refused(refused, line: str) -> None:
    """A missing file, a folder, an empty file, bytes, a device: whatever the command reads."""
    for odd in ODD:
        refused(line.replace("X", odd))


@pytest.mark.parametrize("line", lines(STORES))
def test_a_store_that_is_no_folder_is_refused(refused, line: str) -> None:
    """A store that was named is there."""
    for odd in (odd for odd in ODD if odd != "folder"):
        refused(line.replace("X", odd))


@pytest.mark.parametrize("line", lines(WRONG))
def test_an_option_that_does_not_apply_is_refused(refused, line: str) -> None:
    """Unknown values, and options that would be ignored; nothing is written before it is noticed."""
    refused(line)

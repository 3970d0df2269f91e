"""`receipt` and `verify` as a user calls them."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from trainwright.spec.exit_codes import Exit
from trainwright.tests.commands.test_interface import run  # noqa: F401 - a fixture
from trainwright.tests.report import folders


@pytest.fixture
def folder(tmp_path):
    """A run of a few steps."""
    return folders.whole_run(tmp_path / "run", last=20)


def test_receipt_and_verify(run, folder, tmp_path):  # noqa: F811 - the fixture
    """0 where all holds, alone and against the run; 1 with the name where something differs; 2 where it is none."""
    path = tmp_path / "receipt.json"
    assert run("receipt", folder, "-o", path)[0] == 0
    assert json.loads(run("receipt", folder)[1]) == json.loads(path.read_text())
    for words in ((), (folder,)):
        code, out, _ = run("verify", path, *words)
        assert (code, "holds" in out) == (0, True)
    (folder / "events.jsonl").write_text((folder / "events.jsonl").read_text()[:-200])
    code, out, _ = run("verify", path, folder)
    assert code == Exit.DIFFERS
    assert "DIFFERS  run1 events.jsonl: was changed" in out
    code, out, _ = run("verify", path, folder, "--format", "json")
    assert (code, json.loads(out)["holds"]) == (Exit.DIFFERS, False)
    code, _, err = run("verify", folder / "plan.json")
    assert (code, "TW866" in err, "Traceback" in err) == (Exit.INPUT, True, False)
    code, _, err = run("verify", path, folder, folder)
    assert (code, "TW868" in err) == (Exit.INPUT, True)
    assert run("verify", tmp_path / "no.json")[0] == Exit.INPUT


def test_a_receipt_is_written_over_nothing_else(run, folder, tmp_path):  # noqa: F811 - the fixture
    """The run's own files and files of others stay; an older receipt is replaced."""
    before = (folder / "events.jsonl").read_bytes()
    for target in (folder / "events.jsonl", folder / "plan.json", tmp_path / "no" / "such" / "r.json"):
        assert run("receipt", folder, "-o", target)[0] == Exit.INPUT
    assert (folder / "events.jsonl").read_bytes() == before
    assert [run("receipt", folder, "-o", folder / "receipt.json")[0] for _ in range(2)] == [0, 0]
    assert run("verify", folder / "receipt.json", folder)[0] == 0


def test_the_llama_2_table_is_a_receipt(run, tmp_path):  # noqa: F811 - the fixture
    """The published rows hold, and the 0.02 t between the printed rows and the printed total are explained."""
    path = tmp_path / "llama2.json"
    assert run("reproduce", "llama2", "--receipt", path)[0] == 0
    code, out, _ = run("verify", path)
    assert code == 0
    assert "printed 539.00, but the printed rows add to 538.98. The rows are cut, not rounded" in out
    path.write_text(path.read_text().replace('"value": 62.44,', '"value": 62.45,'))
    code, out, _ = run("verify", path)
    assert (code, "the paper prints 62.45, its own inputs give 62.44" in out) == (Exit.DIFFERS, True)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
def test_signatures(run, folder, tmp_path):  # noqa: F811 - the fixture
    """A signed receipt names its signer; a changed one, another signer and a missing signature do not hold."""
    for name in ("mine", "other"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    for name in ("mine", "other"):
        public = (tmp_path / f"{name}.pub").read_text().split()
        (tmp_path / f"{name}.allowed").write_text(f"me@lab {public[0]} {public[1]}\n")
    path = tmp_path / "r.json"
    assert run("receipt", folder, "-o", path, "--sign", tmp_path / "mine")[0] == 0
    code, out, _ = run("verify", path, "--signers", tmp_path / "mine.allowed")
    assert (code, "me@lab" in out) == (0, True)
    code, out, _ = run("verify", path)
    assert (code, "whose key it is was not asked" in out) == (0, True)
    code, out, _ = run("verify", path, "--signers", tmp_path / "other.allowed")
    assert (code, "its key is not in" in out) == (Exit.DIFFERS, True)
    text = path.read_text()
    path.write_text(text.replace('"label": "tiny"', '"label": "tinY"'))
    assert run("verify", path)[0] == Exit.DIFFERS
    path.write_text(text)
    (tmp_path / "r.json.sig").unlink()
    code, _, err = run("verify", path, "--signers", tmp_path / "mine.allowed")
    assert (code, "TW869" in err) == (Exit.INPUT, True)
    code, _, err = run("receipt", folder, "-o", path, "--sign", path)
    assert (code, "TW869" in err) == (Exit.INPUT, True)

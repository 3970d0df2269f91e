"""Files of somebody else's: whatever they hold, a command answers in words and in time, and reads no link or device."""

from __future__ import annotations

import json
import random
import resource
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from safetensors.torch import save_file

from trainwright import cli
from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
from trainwright.compiler.render.write_bundle import write
from trainwright.report.receipt.build import build_receipt
from trainwright.report.receipt.values import receipt_text
from trainwright.runtime.checkpoint import store
from trainwright.runtime.checkpoint.saved_run import saved_run
from trainwright.runtime.checkpoint.settings_diff import checkpoint_settings, versions
from trainwright.runtime.data.digests import data_digests
from trainwright.runtime.data.tokenizer import Tokenizer, train
from trainwright.runtime.energy import PhaseLedger
from trainwright.runtime.energy.killed_span import killed_span
from trainwright.runtime.huggingface.import_ import import_model
from trainwright.runtime.launch.admit import decide
from trainwright.runtime.launch.restart import final_exit_code
from trainwright.runtime.logs.event_log import last_attempt
from trainwright.runtime.logs.prometheus import RunMetrics
from trainwright.runtime.model.llama import Llama
from trainwright.runtime.prepare.job import Job
from trainwright.runtime.prepare.shards import make_shards
from trainwright.runtime.prepare.train_tokenizer import make_tokenizer
from trainwright.spec.events import read_events
from trainwright.spec.exit_codes import Exit
from trainwright.spec.plan import read_plan
from trainwright.spec.problem import InputError
from trainwright.spec.run_folder import RunFolder
from trainwright.tests.campaigns.mutants import mutate
from trainwright.tests.campaigns.runs import tiny_spec
from trainwright.tests.report.folders import whole_run
from trainwright.tests.runtime.conftest import reseal

SECONDS = 2.0  # of this process, for each case
CODES = {Exit.DONE, Exit.INPUT, Exit.CORRUPT, Exit.DIFFERS}
CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 384,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}


@dataclass(frozen=True)
class Input:
    """A file below a sound folder, and who reads it: command lines, or functions that raise InputError or OSError."""

    file: str
    commands: tuple[str, ...] = ()
    functions: tuple[Callable[[Path], object], ...] = ()


def _import(folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    import_model(folder / "theirs", folder / "out")


def _gate(folder: Path) -> None:
    decide(read_plan(folder / "bundle"), RunFolder(folder / "run"), folder)


def _resume(folder: Path) -> None:
    events = folder / "run/events.jsonl"
    with suppress(OSError):
        last_attempt(events)
        PhaseLedger().resume(read_events(events))
        killed_span(read_events(events))
    final_exit_code(RunFolder(folder / "run"), Exit.PEER_LOST)


def _metrics(folder: Path) -> None:
    generate_latest(RunMetrics(folder / "run"))


def _manifest(folder: Path) -> None:
    generation = folder / "run/checkpoints/step-00000001"
    store.find_damage(generation)
    store.incomplete(generation)


INPUTS = {
    "events": Input("run/events.jsonl", ("status run", "report --json run"), (_gate, _resume, _metrics)),
    "plan": Input("run/plan.json", ("report --json run", "export run --out out"), (lambda at: read_plan(at / "run"),)),
    "bundle's plan": Input("bundle/plan.json", (), (_gate,)),
    "estimate": Input("run/estimate.json", ("report --json run",)),
    "receipt": Input("receipt.json", ("verify receipt.json", "verify receipt.json run")),
    "bundle's manifest": Input("bundle/MANIFEST", ("launch bundle --dry-run --run run2",)),
    "lock": Input("run/lock", ("status run",)),
    "restarts": Input("run/restarts.json", (), (_resume,)),
    "config.json": Input("theirs/config.json", (), (_import,)),
    "safetensors": Input("theirs/model.safetensors", (), (_import,)),
    "SentencePiece": Input("theirs/tokenizer.model", (), (lambda at: Tokenizer(at / "theirs/tokenizer.model"),)),
    "index": Input("run/data/index.json", (), (lambda at: data_digests(RunFolder(at / "run")),)),
    "checkpoint's manifest": Input("run/checkpoints/step-00000001/manifest.json", (), (_manifest, _gate)),
    "checkpoint's state": Input(
        "run/checkpoints/step-00000001/state.json",
        (),
        (lambda at: saved_run(at / "run/checkpoints/step-00000001"), _gate),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, a run with a checkpoint, and a model of somebody else's: all sound."""
    at = tmp_path_factory.mktemp("hostile")
    luck = random.Random(1)  # noqa: S311 - not a secret
    texts = [" ".join("".join(luck.choices("abcdefghij 0123456789", k=6)) for _ in range(200)) for _ in range(40)]
    (at / "corpus").mkdir()
    for number, text in enumerate(texts):
        (at / f"corpus/{number}.txt").write_text(text)
    (at / "spec.yaml").write_text(tiny_spec(2048))
    write(compile_bundle(load(at / "spec.yaml")), at / "bundle")
    plan, run = read_plan(at / "bundle"), RunFolder(at / "run")
    whole_run(run.path, last=3)
    (at / "receipt.json").write_text(receipt_text(build_receipt([run.path])))
    (run.path / "lock").write_text('{"pid": 1, "host": "n1"}')
    (run.path / "restarts.json").write_text('{"step": 3, "stalled": 1}')
    run.tokenizer.parent.mkdir()
    run.tokenizer.write_bytes(train(texts, plan.tokenizer))
    job = Job(plan, run, at, workers=1)
    make_tokenizer(job, lambda _: None)
    make_shards(job, lambda _: None)
    state = {"step": 1, "samples": 8}
    content = {"settings": checkpoint_settings(plan, versions()), "digests": data_digests(run), "state": state}
    draft = store.create_draft(run.checkpoints, 1)
    (draft / "engine").mkdir()
    (draft / "engine/mp_rank_00_model_states.pt").write_bytes(b"weights")
    (draft / "state.json").write_text(json.dumps(content))
    names = ("state.json", "engine/mp_rank_00_model_states.pt")
    store.publish(draft, 1, {name: store.hash_file(draft / name) for name in names})
    theirs = at / "theirs"
    theirs.mkdir()
    save_file(Llama(plan.model).state_dict(), theirs / "model.safetensors")
    shutil.copy(run.tokenizer, theirs / "tokenizer.model")
    (theirs / "config.json").write_text(json.dumps(CONFIG))
    return at


@pytest.fixture(autouse=True)
def bounded_memory():
    """No more memory than a reader of small files needs: what eats without end fails, and harms no one else."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture
def command(folder, monkeypatch, capsys):
    """Run a command line in the folder as a shell does; its exit code and what it printed."""
    monkeypatch.chdir(folder)

    def run(words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["trainwright", *words.split()])
        code = 0
        with monkeypatch.context() as screens:
            screens.setattr(sys, "stdout", sys.stdout)  # put back afterwards
            screens.setattr(sys, "stderr", sys.stderr)
            try:
                cli.main()
            except SystemExit as end:
                code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


def attempt(given: Input, folder: Path, command: Callable[[str], tuple[int, str]]) -> None:
    """Have every reader of a file read it. Raises AssertionError when one fails otherwise than in words."""
    for words in given.commands:
        code, printed = command(words)
        assert code in CODES, printed
        assert "Traceback" not in printed
    for function in given.functions:
        with suppress(InputError, OSError):
            function(folder)


def remove(path: Path) -> None:
    """Take away whatever lies at `path`."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize(
    "campaign", [8, pytest.param(20_000, marks=pytest.mark.slow)], indirect=True, ids=["slice", "all"]
)
def test_any_content_is_answered_in_words_and_in_time(campaign, folder, command, name) -> None:
    """No traceback, no hang, no exit code but those of the table; sound again, the file is read as before."""
    campaign.name = f"hostile {name}"
    given, path = INPUTS[name], folder / INPUTS[name].file
    sound = path.read_bytes()
    attempt(given, folder, command)
    for luck in campaign.cases():
        try:
            way = mutate(path, luck)
            if name == "checkpoint's state" and path.is_file():
                reseal(path.parent)
            began = time.process_time()
            attempt(given, folder, command)
            assert time.process_time() - began < SECONDS, way
        finally:
            remove(path)
            path.write_bytes(sound)
            if name == "checkpoint's state":
                reseal(path.parent)
            remove(folder / "run2")

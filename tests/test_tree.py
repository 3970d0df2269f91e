"""The tree keeps its word: what docs name exists, tests lie where code lies, sizes and the field's words stay."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from statistics import median, quantiles

import pytest

from trainwright.cli import COMMANDS
from trainwright.tests.test_architecture import SOURCES

ROOT = Path(__file__).parents[1]
LAYERS = ("spec", "compiler", "runtime", "report")
WORDED = (".py", ".md", ".yaml", ".j2")  # files whose words are read
# Files that hold other projects' paths, or recorded output.
FOREIGN = ("CHANGELOG.md", "docs/comparison.md", "docs/reference/codes.md", "spec/facts/deepspeed.yaml")
MEDIAN, P90 = 65, 160  # lines of a source file: a newcomer reads one in a sitting

_FILE = re.compile(r"(?<![\w/.:-])((?:[a-z_]+/)+[a-z_0-9-]+\.(?:py|j2))\b")
_FOLDER = re.compile(r"(?<![\w/.:-])((?:spec|compiler|runtime|report|commands|templates)/(?:[a-z_]+/)*)(?![\w*<{.])")
_COMMAND = re.compile(r"(?:`|\$ |: |bash )trainwright ([a-z]+)\b")

# Phrases that a reader would stumble over, in messages, docstrings, comments and pages.
PHRASES = {
    r"\bgo(es)? on\b": "resume, continue",
    r"\bleaves? with\b": "exit with",
    r"\bgive[ns]? back\b": "restore, return",
    r"\btells\b": "report, log, show, say",
    r"\bis said\b": "is reported",
    r"\bshares? out\b": "shard, split",
    r"\b[Mm]end(s|ed|ing)?\b": "fix",
    r"\b([Oo]ur|[Aa]) fault of ours\b|\b[Oo]ur fault\b": "internal error, a bug in Trainwright",
    r"\b(of|than|to) ours\b|\bplace of ours\b": "this project's, trainwright's",
    r"\bis no (plain|regular|file|list|value|name|unit|key|number) (state|file|of|for)\b": "is not a",
}
# Names of functions, classes and attributes, with what took their place.
NAMES = {
    "judge": "handle_anomalies", "judged": "evaluate", "compared": "reason_against", "room_bytes": "memory_budget",
    "pace": "sequences_per_second", "charge": "charge_energy", "veto": "skip_update",
    "one_step": "train_step", "own_numbers": "StepVotes", "Voice": "Rank0Logs", "Pass_": "ForwardPass",
    "add_up": "all_reduce_sum_async", "join": "init_process_group", "leave": "destroy_process_group",
    "Column": "ColumnParallelLinear", "Row_": "RowParallelLinear", "VocabularyEmbedding": "VocabParallelEmbedding",
    "VocabularyHead": "VocabParallelHead", "declare_stages": "register_pipeline_groups", "Board": "TensorBoardLog",
    "strike": "kill_if_due", "spoil_loss": "corrupt_loss_if_due", "write_whole": "write_atomically",
    "bring_initial": "stage_initial_weights", "continued": "greedy_completion", "DurableFiles": "checkpoint_engine",
    "heed": "stop_between_blocks", "Guest": "NodeReport", "meeting": "rendezvous_main", "Track": "DeviceEnergy",
    "within": "call_with_timeout", "poke": "sample_now", "question": "cost_case", "asking": "cost_case_factory",
    "Case": "StepCase", "Work": "Workload", "Profile": "SoftwareProfile", "capped": "operating_point",
    "examine": "check_files", "checked": "load_checked", "passed": "require_no_errors", "pinned": "fix_value",
    "assigned": "set_path", "Word": "TextPattern", "recompute_": "activation_checkpointing", "Raw": "AttemptEvents",
    "History": "RunHistory", "figure": "significant_cell",
}  # fmt: skip


def tracked() -> list[str]:
    """Every file of the repository, as git has it."""
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("not a git checkout")
    return [name for name in run.stdout.split("\n") if name and (ROOT / name).is_file()]


def test_modules_that_are_imported_exist() -> None:
    """Tests and benchmarks have no type checker: without this a module that moved is missed where they seldom run."""
    lost = set[str]()
    for name in tracked():
        for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))) if name.endswith(".py") else ():
            if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("trainwright."):
                path = ROOT.joinpath(*(node.module or "").split(".")[1:])
                if not path.is_dir() and not path.with_suffix(".py").is_file():
                    lost.add(f"{name}:{node.lineno} imports {node.module}")
    assert lost == set()


def words() -> dict[str, str]:
    """The text of every file that names things of this tree."""
    return {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in tracked()
        if name.endswith(WORDED)
        and name not in FOREIGN
        and (not name.startswith("tests/") or name.endswith("README.md"))
    }


def test_paths_that_are_named_exist() -> None:
    """A path in a docstring, a comment or a page leads somewhere: from the root, or from the room that names it."""
    files = tracked()
    lost = {
        f"{name} names {path}"
        for name, text in words().items()
        for path in {*_FILE.findall(text), *_FOLDER.findall(text)}
        if not any(file.startswith(path) or f"/{path}" in file for file in files)
    }
    assert lost == set()


def test_commands_that_are_named_exist() -> None:
    """`trainwright X` in a message or a page is a command of the table."""
    lost = {
        f"{name}: {word}" for name, text in words().items() for word in _COMMAND.findall(text) if word not in COMMANDS
    }
    assert lost == set()


@pytest.mark.parametrize("layer", LAYERS)
def test_tests_lie_where_the_code_lies(layer: str) -> None:
    """Each folder of tests of a layer is a folder of that layer."""
    folders = {path.relative_to(ROOT / "tests") for path in (ROOT / "tests" / layer).rglob("test_*.py")}
    assert [str(path.parent) for path in folders if not (ROOT / path.parent).is_dir()] == []


def test_files_stay_as_small_as_they_are() -> None:
    """The median source file and the ninetieth percentile, in lines."""
    sources = [name for name in tracked() if name.endswith(".py") and name.split("/")[0] in (*LAYERS, "commands")]
    lengths = [len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in sources]
    assert median(lengths) <= MEDIAN
    assert quantiles(lengths, n=10)[-1] <= P90


def test_the_walks_of_the_architecture_page_are_whole() -> None:
    """Each step of the two walks names a file that exists, and the file speaks of the thing that is walked."""
    page = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    for title, word in (("Walk: `power_cap`", "power_cap"), ("Walk: one gradient", "grad")):
        section = page.split(f"### {title}")[1].split("\n##")[0]
        files = re.findall(r"^\d+\. `([^`]+)`", section, re.MULTILINE)
        assert len(files) > 5
        assert [name for name in files if word not in (ROOT / name).read_text(encoding="utf-8")] == []


def test_no_phrase_of_the_old_dialect() -> None:
    """What a person reads is plain English in the field's words."""
    found = {
        f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]!r}: write {better}"
        for name, text in words().items()
        for pattern, better in PHRASES.items()
        for match in re.finditer(pattern, text)
    }
    assert found == set()


def defined(path: Path) -> set[str]:
    """Functions and classes of a file, and the fields that its classes declare."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            fields = [
                part for part in node.body if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            ]
            found |= {ast.unparse(field.target) for field in fields}
    return found


@pytest.mark.parametrize("folder", ["spec", "compiler", "runtime", "report", "commands"])
def test_no_name_of_the_old_dialect(folder: str) -> None:
    """A reader who knows torch, Megatron, DeepSpeed or Slurm guesses what a name means."""
    found = {
        f"{path.relative_to(ROOT)}: {name}: call it {NAMES[name]}"
        for path in SOURCES
        if path.relative_to(ROOT).parts[0] == folder
        for name in defined(path) & NAMES.keys()
    }
    assert found == set()

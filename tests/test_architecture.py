"""The tree's own rules: imports point one way, nothing is too big, the command line stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.cli import COMMANDS, load_command

ROOT = Path(__file__).parents[1]
LAYERS = {"spec": set(), "compiler": {"spec"}, "runtime": {"spec"}, "report": {"spec"}}
HEAVY = {"torch", "deepspeed", "numpy", "matplotlib", "sentencepiece", "pandas"}
FOLDERS = ("spec", "compiler", "runtime", "report", "commands")
SOURCES = [*sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")), ROOT / "cli.py"]
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
TRAIN_LOOP = 120  # the loop may be longer if it reads from top to bottom


def module_name(path: Path) -> str:
    """The dotted name below the package: `compiler.cost.memory`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def own_imports(path: Path) -> set[str]:
    """Modules of this project that a file imports, as dotted names, late imports included."""
    package = list(path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)] + (node.module.split(".") if node.module else [])
            found |= {".".join(base)} if node.module else {".".join([*base, alias.name]) for alias in node.names}
    return {name for name in found if name}


def functions() -> list[tuple[str, int]]:
    """Every function with its length in lines."""
    return [
        (f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_one_way(layer: str) -> None:
    """`spec` imports nothing of ours; `compiler`, `runtime` and `report` import only `spec`."""
    wrong = {
        f"{module_name(path)} imports {name}"
        for path in SOURCES
        if module_name(path).split(".")[0] == layer
        for name in own_imports(path)
        if name.split(".")[0] not in LAYERS[layer] | {layer}
    }
    assert wrong == set()


def test_imports_have_no_cycle() -> None:
    """No module reaches itself through its imports."""
    names = {module_name(path) for path in SOURCES}
    graph = {module_name(path): own_imports(path) & names - {module_name(path)} for path in SOURCES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name not in done:
            for target in graph[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_files_stay_small() -> None:
    """No source file is longer than a reader keeps in mind."""
    lengths = {module_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_stay_small() -> None:
    """No function is long; only the train loop may read as one page."""
    long = {
        name: length
        for name, length in functions()
        if length > (TRAIN_LOOP if name.startswith("runtime/train/__main__.py") else LONGEST_FUNCTION)
    }
    assert long == {}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_listed_command_exists(command: str) -> None:
    """Each line of the command table has its module."""
    assert callable(load_command(command))


@pytest.mark.parametrize("arguments", [["--help"], ["check", "examples/tiny-cpu.yaml"]])
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """`--help` and `check` run without torch and its kin."""
    code = f"import sys; sys.argv = ['trainwright', *{arguments!r}]\nfrom trainwright.cli import main\ntry:\n main()\n"
    code += "except SystemExit as end:\n assert not end.code, end.code\n"
    code += f"print('heavy:', sorted(set(sys.modules) & {HEAVY!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.splitlines()[-1] == "heavy: []"

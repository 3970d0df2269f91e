"""The tree's own rules: imports point one way, nothing is too big, the command line stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.cli import COMMANDS, load_command

ROOT = Path(__file__).parents[1]
# Who may import whom, room by room; a room is a folder of a layer, and what a layer has beside its folders is its own
# room. A new edge is a decision: it is added here or not made. Compiler, runtime and report share only `spec`; where
# the compiler shows a table, it makes it of report's cells, and `estimate.md` is a document of report's.
EDGES = {
    "spec": set[str](),
    "compiler.load": {"spec"},
    "compiler.cost": {"spec"},
    "compiler.check": {"spec", "compiler.load", "compiler.plan"},
    "compiler.plan": {"spec", "compiler.load", "compiler.cost", "report.tables"},
    "compiler.schedule": {"spec"},
    "compiler.backtest": {"spec", "compiler.load", "compiler.cost", "report.tables"},
    "compiler.render": {"spec", "compiler.cost", "report.tables", "report.formats"},
    "compiler.help": {"spec", "compiler.load", "compiler.check", "compiler.plan", "report.tables"},
    "compiler": {"spec", "compiler.load", "compiler.check", "compiler.plan", "compiler.render"},
    "runtime.model": {"spec"},
    "runtime.data": {"spec"},
    "runtime.energy": {"spec"},
    "runtime.parallel": {"spec", "runtime.model", "runtime.data"},
    "runtime.engine": {"spec", "runtime.model", "runtime.parallel", "runtime.checkpoint"},
    "runtime.checkpoint": {"spec", "runtime.model", "runtime.parallel", "runtime.engine", "runtime.launch"},
    "runtime.huggingface": {"spec", "runtime.model", "runtime.data", "runtime.checkpoint"},
    "runtime.logs": {"spec", "runtime.energy"},
    # A launch is decided by what the newest checkpoint says of the run and by what its data folder holds.
    "runtime.launch": {"spec", "runtime.checkpoint", "runtime.data", "runtime.logs", "runtime.prepare"},
    "runtime.power_cap": {"spec", "runtime.energy"},
    "runtime.preflight": {"spec", "runtime.data", "runtime.energy", "runtime.parallel"},
    "runtime.prepare": {
        "spec", "runtime.checkpoint", "runtime.data", "runtime.energy", "runtime.huggingface", "runtime.launch",
        "runtime.logs",
    },
    "runtime.train": {
        "spec", "runtime.checkpoint", "runtime.data", "runtime.energy", "runtime.engine", "runtime.huggingface",
        "runtime.launch", "runtime.logs", "runtime.parallel",
    },
    "report": {"spec", "report.accounting", "report.receipt", "report.tables", "report.formats"},
    "report.accounting": {"spec", "report"},
    "report.tables": {"spec", "report", "report.accounting"},
    # CodeCarbon's CSV and the model card take their numbers from the receipt; the receipt holds the digests of tables.
    "report.formats": {"spec", "report", "report.accounting", "report.receipt", "report.tables"},
    # The receipt reads what a run logged once: for its report, and for the versions that it ran with.
    "report.receipt": {"spec", "report", "report.accounting", "report.formats", "report.tables"},
    "report.elsewhere": {"spec", "report", "report.receipt", "report.tables"},
}  # fmt: skip
# The only files that may use these; more of them would be a second door.
OWNERS = {
    "yaml": {
        "spec/yaml_source.py", "spec/yaml_syntax.py", "spec/facts/__init__.py", "compiler/help/format.py",
        "compiler/render/verify.py", "compiler/render/yaml_text.py",
    },
    "subprocess": {
        "commands/launch.py", "compiler/render/verify.py", "report/receipt/signature.py",
        "runtime/launch/deepspeed_launcher.py", "runtime/launch/local_ranks.py", "runtime/launch/locate.py",
        "runtime/launch/slurm_array.py", "runtime/launch/stop.py", "runtime/launch/supervise.py",
        "runtime/launch/tracker_processes.py", "runtime/power_cap/guard.py", "runtime/power_cap/gpu_limits.py",
    },
    "matplotlib": {
        "report/formats/heat_plot.py", "report/formats/plots.py", "report/formats/pareto_plot.py",
        "report/formats/range_plot.py", "report/formats/schedule_plot.py",
        "report/formats/scaling_plot.py",
    },
    "deepspeed": {
        "runtime/engine/checkpoint_engine.py", "runtime/engine/deepspeed_private.py", "runtime/engine/engine.py",
        "runtime/engine/process_groups.py", "runtime/engine/tensor_parallel.py",
        "runtime/engine/universal_converter.py",
    },
}  # fmt: skip
# Data of the package that a room reads by name instead of importing it.
RESOURCES = {"report.formats": {"templates"}, "compiler.render": {"templates"}}
HEAVY = {"torch", "deepspeed", "numpy", "matplotlib", "sentencepiece", "pandas"}
FOLDERS = ("spec", "compiler", "runtime", "report", "commands")
SOURCES = [
    *sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")),
    *(ROOT / name for name in ("api.py", "cli.py")),
]
LONGEST_FILE = 300
LONGEST_FUNCTION = 60
TRAIN_LOOP = 120  # the loop may be longer if it reads from top to bottom


def module_name(path: Path) -> str:
    """The dotted name below the package: `compiler.cost.memory`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def room(module: str) -> str:
    """The room of a module: `compiler.cost` for `compiler.cost.memory`, `report` for `report.build`, `spec` for all."""
    layer, _, rest = module.partition(".")
    below = f"{layer}.{rest.partition('.')[0]}"
    return below if below in EDGES else layer


def own_imports(path: Path) -> set[str]:
    """Modules of this project that a file imports, as dotted names: late and absolute ones, and names of resources."""
    package = list(path.relative_to(ROOT).parent.parts)
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - (node.level - 1)] + (node.module.split(".") if node.module else [])
            found |= {".".join(base)} if node.module else {".".join([*base, alias.name]) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "trainwright":
            found |= {f"{node.module}.{alias.name}".partition(".")[2] for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("trainwright.")}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"files", "import_module"}:
            named = [word.value for word in node.args if isinstance(word, ast.Constant)]
            found |= {str(name).partition(".")[2] for name in named if str(name).startswith("trainwright.")}
    return {name for name in found if name}


def functions() -> list[tuple[str, int]]:
    """Every function with its length in lines."""
    return [
        (f"{path.relative_to(ROOT)}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("name", EDGES)
def test_imports_point_one_way(name: str) -> None:
    """Each room imports itself and the rooms that the table gives it, and nothing else of ours."""
    wrong = {
        f"{module_name(path)} imports {imported}"
        for path in SOURCES
        if room(module_name(path)) == name
        for imported in own_imports(path)
        if room(imported) not in EDGES[name] | {name} | RESOURCES.get(name, set())
    }
    assert wrong == set()


def test_the_table_of_rooms_is_the_tree() -> None:
    """Every folder of a layer is a room of the table, and every room a folder or a layer."""
    folders = {f"{layer}.{path.name}" for layer in FOLDERS[1:4] for path in (ROOT / layer).iterdir() if path.is_dir()}
    assert {name for name in folders if not name.endswith("__pycache__")} == {name for name in EDGES if "." in name}


def foreign_imports(path: Path) -> set[str]:
    """Packages of others that a file imports, late imports included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", OWNERS)
def test_powerful_packages_have_owners(package: str) -> None:
    """YAML is parsed, processes are started, plots drawn and DeepSpeed used in these files and no others."""
    users = {str(path.relative_to(ROOT)) for path in SOURCES if package in foreign_imports(path)}
    assert users == OWNERS[package]


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

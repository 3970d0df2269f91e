"""Every door by which something of somebody else's comes in is known, and says what guards it.

A new call of these kinds fails here until it is registered: `INVENTORY[file][call]` is the reason why it is safe.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("spec", "compiler", "runtime", "report", "commands")
DOORS = {
    "torch.load": {"load"},
    "pickle": {"load", "loads", "Unpickler"},
    "json": {"load", "loads"},
    "yaml": {"load", "load_all", "safe_load", "safe_load_all", "parse", "scan"},
    "safetensors": {"load_file", "safe_open"},
    "socket": {"create_server", "create_connection", "socketpair", "start_http_server"},
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "execvp", "execv", "system", "popen"},
    "store": {"TCPStore", "all_gather_object", "broadcast_object_list", "init_process_group"},
    "arrays": {"memmap", "fromfile", "frombuffer"},
    "archive": {"ZipFile"},
    "eval": {"eval", "exec", "compile", "__import__"},
}
MODULES = {"torch", "pickle", "json", "yaml", "subprocess", "socket", "os", "np", "numpy", "distributed", "zipfile"}
BARE = {"safe_open", "load_file", "TCPStore", "start_http_server", "eval", "exec", "__import__", "Popen", "ZipFile"}


def calls(path: Path) -> Iterator[str]:
    """The calls in a file that let something in: `json.loads`, `subprocess.Popen`, ..."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call | ast.ClassDef):
            continue
        for name in [node.func] if isinstance(node, ast.Call) else node.bases:
            text = ast.unparse(name)
            module, _, called = text.rpartition(".")
            known = any(called in names for names in DOORS.values())
            if known and (module in MODULES or (not module and called in BARE)):
                yield text


def found() -> dict[str, set[str]]:
    """Every door of every file."""
    files = [
        path
        for folder in FOLDERS
        for path in ([ROOT / folder] if folder.endswith(".py") else (ROOT / folder).rglob("*.py"))
    ]
    return {str(path.relative_to(ROOT)): names for path in sorted(files) if (names := set(calls(path)))}


STRICT_YAML = "our own files, or the strict door of spec/yaml_source.py"
OWN = "a list of words, no shell; none of them is anybody else's"
PARSE = "spec/foreign_files.py: size and depth bounded"
INVENTORY = {
    "commands/launch.py": {"os.execvp": OWN, "subprocess.run": OWN},
    "compiler/render/verify.py": {
        "json.loads": "what we have just rendered",
        "yaml.safe_load_all": "what we have just rendered",
        "subprocess.run": "bash -n: parses what we have just rendered, runs nothing",
    },
    "report/receipt/signature.py": {"subprocess.run": OWN},
    "runtime/checkpoint/foreign_state.py": {"zipfile.ZipFile": "the list of contents alone; nothing is unpacked"},
    "runtime/data/dataset.py": {"np.frombuffer": "a shard whose size and hash were compared"},
    "runtime/data/sample_order.py": {"np.frombuffer": "bytes that we have just made"},
    "runtime/data/tokenizer.py": {"np.frombuffer": "ids that SentencePiece has just made"},
    "runtime/engine/checkpoint_engine.py": {"torch.load": "weights_only, four named classes, looked at before"},
    "runtime/huggingface/import_.py": {"safe_open": "safetensors hold no program"},
    "runtime/huggingface/prove.py": {
        "np.memmap": "shards of the run, whose size and hash were compared",
        "safe_open": "safetensors that we have just written",
    },
    "runtime/huggingface/sample.py": {"load_file": "safetensors that we have just written"},
    "runtime/launch/deepspeed_launcher.py": {"subprocess.Popen": OWN},
    "runtime/launch/local_ranks.py": {"subprocess.Popen": OWN},
    "runtime/launch/locate.py": {"subprocess.run": "the words of a note that matched its form"},
    "runtime/launch/slurm_array.py": {"subprocess.run": OWN},
    "runtime/launch/stop.py": {"subprocess.run": "the words of a note that matched its form"},
    "runtime/launch/supervise.py": {"subprocess.Popen": OWN},
    "runtime/launch/tracker_processes.py": {"subprocess.Popen": OWN},
    "runtime/logs/prometheus.py": {"start_http_server": "127.0.0.1 unless told otherwise"},
    "runtime/model/llama.py": {"torch.compile": "functions of that file"},
    "runtime/parallel/plain_pickle.py": {
        "pickle.Unpickler": "makes plain values and a few dataclasses, nothing else",
        "torch.frombuffer": "bytes that we have just made",
    },
    "runtime/parallel/world.py": {
        "TCPStore": "loopback, or the address that the nodes call; keys under the run's token",
        "distributed.init_process_group": "through that store",
    },
    "runtime/power_cap/guard.py": {"subprocess.Popen": OWN},
    "runtime/power_cap/gpu_limits.py": {"subprocess.run": OWN},
    "runtime/preflight/rendezvous.py": {"socket.create_connection": "short lines, proven with the run's token"},
    "runtime/prepare/duplicates.py": {
        "np.load": "a table that a worker of ours has written, never pickled",
        "np.memmap": "shards that we have just written",
    },
    "runtime/prepare/token_blocks.py": {
        "np.frombuffer": "ids, each compared with the vocabulary; places in a file, each compared with its size",
    },
    "runtime/prepare/unigram_entropy.py": {"np.memmap": "shards that we have just written"},
    "runtime/train/watchdog.py": {"TCPStore": "a client; what a peer writes is compared, never acted on"},
    "spec/facts/__init__.py": {"yaml.load": STRICT_YAML},
    "spec/foreign_files.py": {"json.loads": PARSE},
    "spec/listening.py": {"socket.create_server": "loopback, or the address that the nodes call"},
    "spec/yaml_source.py": {"yaml.parse": STRICT_YAML, "yaml.scan": STRICT_YAML},
}


def test_every_door_is_registered() -> None:
    """What lets something in has its guard written down, and nothing is registered that is gone."""
    registered = {file: set(doors) for file, doors in INVENTORY.items()}
    assert found() == registered


def test_no_shell_and_no_full_pickle() -> None:
    """`shell=True`, `weights_only=False` and a pickle that makes anything appear nowhere."""
    for file in found():
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
                assert (node.arg, node.value.value) not in {("shell", True), ("weights_only", False)}, file
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in {"pickle.loads", "pickle.load"}, file

"""Hostile spec files: every one is reported or accepted, never a traceback, and quickly.

Each is a trap that a YAML reader or a careless check falls into.
Random mutation finds few of these (20,000 mutants of a good spec found none of the five inputs that escape PyYAML as
other exceptions), so they are listed.
"""

from __future__ import annotations

import os
import time

import pytest

from trainwright.compiler.check import CRASHED, check_files

GOOD = """\
name: good
model: {layers: 4, hidden_size: 192, ffn_size: 512, heads: 6, kv_heads: 2, vocab_size: 2048}
tokenizer: {vocab_size: 2048}
data: {train: python:stdlib, tokens: 40M}
training: {sequence_length: 256, global_batch: 16 sequences, precision: fp32, optimizer: {learning_rate: 2e-3}}
cluster: local-cpu
carbon: {pue: 1.0, intensity: 50 g/kWh}
"""


def _with(line: str) -> bytes:
    """The good spec with its line of the same key replaced, or the line added."""
    key = line.partition(":")[0]
    kept = [old for old in GOOD.splitlines() if old.partition(":")[0] != key]
    return ("\n".join([*kept, line]) + "\n").encode("utf-8", "surrogatepass")


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)

# Whole files.
FILES: dict[str, bytes] = {
    "empty": b"",
    "blank lines": b"\n\n\n",
    "comment": b"# only this\n",
    "document marks": b"---\n...\n---\n",
    "two documents": b"a: 1\n---\nb: 2\n",
    "end marks": b"...\n...\n",
    "scalar": b"hello\n",
    "number": b"42\n",
    "list": b"- a\n- b\n",
    "null": b"null\n",
    "alias bomb": BOMB.encode(),
    "thousand brackets": b"[" * 1000,
    "closed brackets": b"[" * 1000 + b"]" * 1000,
    "thousand braces": b"{a: " * 1000,
    "deep block": "".join(" " * n + "a:\n" for n in range(300)).encode(),
    "dashes": b"- " * 5000 + b"x\n",
    "question marks": b"? " * 2000,
    "colons": b": " * 2000,
    "quarter megabyte": b"name: " + b"a" * 300_000 + b"\n",
    "long comment": b"# " + b"x" * 200_000 + b"\nname: a\n",
    "many keys": "".join(f"k{n}: {n}\n" for n in range(20_000)).encode(),
    "many items": b"a: [" + b"1," * 60_000 + b"]\n",
    "latin-1": "name: café\n".encode("latin-1"),
    "utf-16": "name: a\n".encode("utf-16"),
    "utf-32": "name: a\n".encode("utf-32"),
    "overlong utf-8": b"name: \xc0\xaf\n",
    "surrogate bytes": b"name: \xed\xa0\x80\n",
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "mark inside": b"name: a\xef\xbb\xbfb\n",
    "nul": b"name: a\0b\n",
    "escape": b"name: a\x1b[31mb\n",
    "next line": "name: a\x85b: c\n".encode(),
    "line separator": "name: a\u2028b: c\n".encode(),
    "right to left": "name: a # \u202e cilbup\n".encode(),
    "carriage returns": GOOD.replace("\n", "\r").encode(),
    "windows": GOOD.replace("\n", "\r\n").encode(),
    "tabs": b"model:\n\tlayers: 4\n",
    "directive": b"%YAML 9.9\n---\na: 1\n",
    "bad directive": b"%FOO\n",
    "tag directive": b"%TAG ! tag:x,2000:\n---\n!a b\n",
    "reserved": b"name: @x\n",
    "back-tick": b"name: `x`\n",
    "open quote": b'name: "abc\n',
    "open single": b"name: 'abc\n",
    "open brace": b"name: {a: 1\n",
    "block text": b"name: |\n  a\n  b\n",
    "folded text": b"name: >\n  a\n\n  b\n",
    "complex key": b"? {a: b}\n: c\n",
    "null key": b"? \n: c\n",
    "merge key": b"<<: {name: a}\n",
    "anchor": b"name: &a b\n",
    "alias": b"name: *a\n",
    "tag": b"name: !!python/object/apply:os.system ['true']\n",
    "tagged int": b"name: !!int abc\n",
    "tagged float": b"name: !!float x\n",
    "tagged time": b"name: !!timestamp x\n",
    "tagged binary": b"name: !!binary x\n",
    "tagged set": b"name: !!set {a, b}\n",
    "zip": b"PK\x03\x04" + bytes(range(256)),
    "all bytes": bytes(range(256)),
}

# One line of a good spec replaced, or added.
LINES: tuple[str, ...] = (
    *("name: 2024-13-45", "name: 2024-99-99", "name: no", "name: 1:30", "name: 010", "name: ~", "name: true"),
    *("name: ../../etc", "name: " + "a" * 300, "name: -rf", "name: $(id)", "name: a;b", 'name: "a\\nb"', "name: ''"),
    *(
        'name: "\\0"',
        'name: "\\ud800"',
        'name: "\\x1b"',
        'name: "\\u2028"',
        "name: [a]",
        "name: {a: b}",
        "name: \u0661\u0662",
    ),
    *("on: 1", "1: 2", "null: 1", "true: 1", "'': 1", "name : x : y", "name: a\nname: b"),
    *("version: 2", "version: 1.0", "version: '1'", "version: true", "version: 1e400"),
    *("model: 7", "model: []", "model: {}", "model: null", "model: {preset: [a]}", "model: {preset: null}"),
    *("model: {preset: llama2-7b, layers: 0}", "model: {preset: llama2-7b, heads: 999999}"),
    *("model: {preset: llama2-7b, hidden_size: 1000000, heads: 999983}", "model: {preset: llama2-7b, layers: -1}"),
    "model: {preset: llama2-7b, layers: " + "9" * 5000 + "}",
    *("model: {preset: llama2-7b, layers: 0x10}", "model: {preset: llama2-7b, layers: 1_000}"),
    *("data: {train: [], tokens: 1M}", "data: {train: null, tokens: 1M}", "data: {train: [null], tokens: 1M}"),
    *("data: {train: [[a]], tokens: 1M}", "data: {train: {path: a}, tokens: 1M}", "data: {train: '', tokens: 1M}"),
    *("data: {train: '**', tokens: 1M}", "data: {train: '[', tokens: 1M}", "data: {train: ., tokens: 1M}"),
    *("data: {train: /dev/zero, tokens: 1M}", "data: {train: ../*, tokens: 1M}", "data: {train: '*/*/*', tokens: 1M}"),
    *(
        "data: {train: a, tokens: 1e308T}",
        "data: {train: a, tokens: 1e-300 tokens}",
        "data: {train: a, tokens: 0 tokens}",
    ),
    *(
        "data: {train: a, tokens: nan tokens}",
        "data: {train: a, tokens: \u0661\u0662M}",
        "data: {train: a, tokens: 1e999999999 M}",
    ),
    *("data: {train: a, tokens: 1M, validation: .nan}", "data: {train: a, tokens: 1M, validation: 1e-320}"),
    "training: {sequence_length: 10000000, global_batch: 1 sequence, optimizer: {learning_rate: 1e-320}}",
    "training: {sequence_length: 1, global_batch: 1e23 sequences, optimizer: {learning_rate: 1e308}}",
    "training: {sequence_length: 256, global_batch: 0 tokens, optimizer: {learning_rate: 1, warmup: -5 steps}}",
    "training: {sequence_length: 256, global_batch: 0.5 sequences, optimizer: {learning_rate: 1, warmup: 0 steps}}",
    "training: {sequence_length: 256, global_batch: 1e-20 tokens, optimizer: {learning_rate: 1}}",
    "training: {sequence_length: 256, global_batch: {value: 1, unit: steps}, optimizer: {learning_rate: 1}}",
    *("cluster: {preset: local-cpu, gpus: 1000000}", "cluster: {preset: local-cpu, gpus: 999983}"),
    *("cluster: {preset: local-cpu, gpus: 1000000, gpus_per_node: 1000000}", "cluster: {preset: meta-rsc, gpus: 0}"),
    *("cluster: {gpu: '', gpus: 1, gpus_per_node: 1}", "cluster: {gpu: CPU, gpus: 1.5, gpus_per_node: 1}"),
    *("cluster: {preset: meta-rsc, power_cap: 1e-300 W}", "cluster: {preset: meta-rsc, power_cap: - W}"),
    "cluster: {preset: meta-rsc, interconnect: {kind: roce, traffic_class: 999, hcas: [a b]}}",
    *(
        "parallel: auto",
        "parallel: AUTO",
        "parallel: null",
        "parallel: []",
        "parallel: {data: 1000000, tensor: 1000000}",
    ),
    *(
        "parallel: {tensor: 999983}",
        "parallel: {micro_batch: 1000000}",
        "parallel: {zero: 1.0}",
        "parallel: {zero: true}",
    ),
    *("carbon: {pue: .inf, intensity: 1 kg/kWh}", "carbon: {pue: 1, region: ''}", "carbon: {pue: 1, region: FR}"),
    *("launch: {hosts: ['a b', -x], target: ssh}", "launch: {time_limit: 1e23 h}", "launch: {secrets: [A=b]}"),
    *("extends: /etc/passwd", "extends: ..", "extends: .", "extends: ''", "extends: [a]", "extends: hostile.yaml"),
    *("extends: link.yaml", "extends: folder", "extends: " + "a/" * 2000, "extends: none.yaml", "extends: pipe"),
    *("matrix: 1", "matrix: {}", "matrix: []", "matrix: {a: [1]}", "matrix: {name: [a]}", "matrix: {model: [1, 2]}"),
    *("matrix: {data.seed: [[1], {a: b}, null]}", "matrix: {'..': [1]}", "matrix: {data.train.0.path: [a]}"),
    *("matrix: {cluster: [local-cpu, local-cpu]}", "matrix: {carbon.pue: [1.1, '1.1']}"),
    "matrix: {" + ", ".join(f"k{n}: [1, 2]" for n in range(60)) + "}",
)

CORPUS: dict[str, bytes] = FILES | {f"{n:03} {line[:40]}": _with(line) for n, line in enumerate(LINES)}


@pytest.fixture
def folder(tmp_path):
    """A project folder with the things that `extends` may stumble over."""
    (tmp_path / "folder").mkdir()
    outside = tmp_path.parent / f"{tmp_path.name}-outside.yaml"
    outside.write_text(GOOD)
    (tmp_path / "link.yaml").symlink_to(outside)
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    return tmp_path


@pytest.mark.parametrize("case", CORPUS)
def test_a_hostile_file_is_reported_or_accepted(case, folder):
    """No exception but InputError, no crashed check, every error with a place, in under two seconds of work."""
    path = folder / "hostile.yaml"
    path.write_bytes(CORPUS[case])
    start = time.process_time()  # a busy machine makes the clock on the wall a poor judge
    problems, names = check_files([path])
    assert time.process_time() - start < 2
    assert CRASHED not in {problem.code for problem in problems}, problems
    assert names or any(problem.severity == "error" for problem in problems)
    assert all(problem.place for problem in problems)


def test_the_corpus_is_large_and_its_good_spec_is_good(folder):
    """At least 60 hostile files, made from a spec that has no error itself."""
    assert len(CORPUS) >= 60
    path = folder / "good.yaml"
    path.write_text(GOOD)
    problems, names = check_files([path])
    assert names == ["good"]
    assert [problem for problem in problems if problem.severity == "error"] == []


@pytest.mark.parametrize("base", ["link.yaml", "../x.yaml", "/etc/passwd", "folder/../../x.yaml", "loop.yaml"])
def test_extends_stays_inside_the_project_folder(base, folder):
    """A base outside of the folder is refused, through a link too, and its text is never shown."""
    path = folder / "spec.yaml"
    path.write_text(f"extends: {base}\n")
    problems, _ = check_files([path])
    assert [problem.code for problem in problems] == ["TW110"]


def test_a_pipe_is_no_spec(folder):
    """A named pipe is refused, not waited for."""
    os.mkfifo(folder / "pipe")
    problems, _ = check_files([folder / "pipe"])
    assert [problem.code for problem in problems] == ["TW101"]

"""Hostile strings in every string field: refused at the door, and harmless even if the door stood open.

Each change of this repository runs a seeded sample of 500; all are run by `make test-long`.
"""

from __future__ import annotations

import os
import random
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from trainwright.compiler.pipeline import compile_bundle
from trainwright.compiler.render import render
from trainwright.compiler.render.inputs import RenderInputs
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Spec
from trainwright.tests.compiler.hostile import STRINGS, Trap, yaml_string
from trainwright.tests.compiler.specs import EXAMPLES, loaded, unit

SAMPLE = 500
SEED = 20261123
SSH = ("cluster.gpus=16", "launch.hosts=[n1, n2]")
KUBERNETES = (
    "launch.container=image",
    "launch.volume_claim=claim",
    "launch.rdma_resource=rdma/ib",
    "launch.secrets=[TOKEN]",
)
CODE = {"launch.setup"}  # lines of shell by design: whoever may write a spec may write them
# Fields whose value reaches a script or a manifest: the field, the target that renders it, and what that needs.
REACHING = (
    ("name", "slurm", ()),
    ("launch.partition", "slurm", ()),
    ("launch.account", "slurm", ()),
    ("launch.container.image", "slurm", ()),
    ("launch.slurm.qos", "slurm", ()),
    ("launch.slurm.constraint", "slurm", ()),
    ("launch.slurm.comment", "slurm", ()),
    ("launch.environment.VALUE", "slurm", ()),
    ("launch.slurm.options.wckey", "slurm", ()),
    ("cluster.interconnect.socket_interface", "slurm", ()),
    ("cluster.interconnect.hcas", "slurm", ()),
    ("launch.hosts", "ssh", SSH),
    ("launch.hosts", "ssh", (*SSH, "launch.starter=pdsh")),
    ("launch.hosts", "ssh", (*SSH, "launch.starter=deepspeed")),
    ("cluster.interconnect.hcas", "ssh", (*SSH, "launch.starter=deepspeed")),
    ("launch.namespace", "kubernetes", KUBERNETES),
    ("launch.volume_claim", "kubernetes", KUBERNETES),
)
Reach = tuple[str, str, tuple[str, ...]]


def fields(model: type[BaseModel], path: str = "") -> Iterator[str]:
    """Dotted paths of every field that holds text."""
    for name, field in model.model_fields.items():
        at = f"{path}.{name}" if path else name
        kinds = [field.annotation, *get_args(field.annotation)]
        inner = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if inner is not None and inner.__name__ != "Amount":
            yield from fields(inner, at)
        elif "dict[" in str(field.annotation):
            yield f"{at}.VALUE"
        elif "str" in str(field.annotation) and at not in CODE:
            yield at


def sampled(pairs: list[Any], size: int) -> list[Any]:
    """A seeded sample."""
    return random.Random(SEED).sample(pairs, min(size, len(pairs)))  # noqa: S311 - a sample, no secret


def attempt(path: str, text: str, folder) -> None:
    """Load and compile the tiny example with `text` at `path`; it is refused, or nothing is executed."""
    override = f"{path}=[{yaml_string(text)}]" if path in LISTS else f"{path}={yaml_string(text)}"
    try:
        bundle = compile_bundle(loaded("tiny-cpu", override))
    except InputError:
        return
    Trap(folder).spring(bundle)


LISTS = {
    "launch.hosts",
    "launch.secrets",
    "launch.container.mounts",
    "launch.kubernetes.tolerations",
    "cluster.interconnect.hcas",
    "data.train",
}
PAIRS = [(path, text) for path in fields(Spec) for text in STRINGS]


def test_there_are_enough_strings_and_fields() -> None:
    """At least two hundred strings, in every field that holds text."""
    assert len(STRINGS) >= 200
    assert {"name", "launch.hosts", "launch.partition", "cluster.interconnect.hcas"} <= set(fields(Spec))


def test_a_sample_of_hostile_strings_is_refused_or_harmless(tmp_path) -> None:
    """Five hundred pairs of field and string: an InputError, or a bundle whose scripts execute nothing of it."""
    for path, text in sampled(PAIRS, SAMPLE):
        attempt(path, text, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_hostile_string_is_refused_or_harmless(tmp_path) -> None:
    """All pairs of field and string."""
    for path, text in PAIRS:
        attempt(path, text, tmp_path)


def forced(reach: Reach, text: str) -> RenderInputs:
    """A unit in which `text` stands in a field although the language would refuse it: the door stood open."""
    path, target, sets = reach
    made = unit("llama2-34b", *sets, "launch.container=image", f"launch.target={target}")
    value = (text, "n2") if path == "launch.hosts" else (text,) if path in LISTS else text
    if path == "name":
        return RenderInputs(made.spec, made.plan.model_copy(update={"name": text}), made.estimate)
    return RenderInputs(_updated(made.spec, path.split("."), value), made.plan, made.estimate)


def _updated(section: Any, path: list[str], value: Any) -> Any:
    if isinstance(section, dict):
        return {**section, path[0]: value}
    inner = value if len(path) == 1 else _updated(getattr(section, path[0]), path[1:], value)
    return section.model_copy(update={path[0]: inner})


def open_door(reach: Reach, text: str, trap: Trap) -> None:
    """Render `text` past the allow-list and run the scripts: refused, or nothing runs and the value arrives intact."""
    try:
        bundle = render(forced(reach, text), {}, "test")
    except ValueError:
        return
    trap.spring(bundle)
    seen = trap.arguments + trap.environment + directives(bundle)
    arrived = any(word == text or word.endswith(f"={text}") for word in seen)
    assert arrived or reach[0] in ("name", "launch.namespace", "launch.volume_claim"), (reach, text)


def directives(bundle: dict[str, str]) -> list[str]:
    """The words of all #SBATCH lines, as Slurm splits them."""
    lines = [line for text in bundle.values() for line in text.splitlines() if line.startswith("#SBATCH ")]
    return [word for line in lines for word in shlex.split(line[len("#SBATCH ") :])]


@pytest.mark.parametrize("reach", REACHING, ids=lambda reach: f"{reach[0]} {reach[1]} {reach[2][-1:]}")
def test_past_the_door_quoting_still_holds(reach: Reach, tmp_path) -> None:
    """Fifteen strings a field, with the language's allow-lists bypassed: scripts get data, never commands or lines."""
    trap = Trap(tmp_path)
    plain = len(directives(render(forced(reach, "plain"), {}, "test")))
    for text in sampled(list(STRINGS), 15):
        open_door(reach, text, trap)
    assert plain == len(directives(render(forced(reach, "other"), {}, "test")))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("reach", REACHING, ids=lambda reach: f"{reach[0]} {reach[1]} {reach[2][-1:]}")
def test_past_the_door_every_string(reach: Reach, tmp_path) -> None:
    """All strings, with the allow-lists bypassed."""
    trap = Trap(tmp_path)
    for text in STRINGS:
        open_door(reach, text, trap)


def test_pdsh_replaces_nothing_in_a_path(tmp_path) -> None:
    """%u, %n and %h in the name of a folder reach the hosts as they are."""
    trap = Trap(tmp_path / "a%u%n%h%%")
    trap.spring(render(unit("llama2-34b", *SSH, "launch.starter=pdsh", "launch.target=ssh"), {}, "test"))
    launcher = trap.arguments.index("trainwright.runtime.launch.node_launcher")
    assert trap.arguments[launcher + 2] == str(trap.folder / "run")


def test_the_trap_works(tmp_path) -> None:
    """The harness itself: a script that does execute its input is caught, by every stub on the way."""
    evil = f"#!/usr/bin/env bash\n{STRINGS[0]}\n"
    with pytest.raises(AssertionError, match="executed"):
        Trap(tmp_path).spring({"launch.sh": evil})
    through_ssh = "#!/usr/bin/env bash\nssh -- host 'touch \"$CANARY\"'\n"
    (tmp_path / "canary").unlink()
    with pytest.raises(AssertionError, match="executed"):
        Trap(tmp_path).spring({"launch.sh": through_ssh})


def test_secrets_of_the_environment_stay_out(monkeypatch) -> None:
    """Values of secrets are in the environment of whoever compiles, and never in the bundle."""
    planted = {"TOKEN": "tw-secret-1", "AWS_SECRET_ACCESS_KEY": "tw-secret-2", "WANDB_API_KEY": "tw-secret-3"}
    for name, value in planted.items():
        monkeypatch.setenv(name, value)
    for target, sets in (("kubernetes", KUBERNETES), ("ssh", (*SSH, "launch.secrets=[TOKEN]")), ("slurm", ())):
        text = "\n".join(compile_bundle(loaded("llama2-7b", *sets), target).values())
        assert [value for value in planted.values() if value in text] == []


SETTINGS = (
    {},
    {"PYTHONHASHSEED": "1"},
    {"TZ": "Asia/Tokyo"},
    {"LC_ALL": "tr_TR.UTF-8"},
    {"HOME": "/nonexistent"},
    {"COLUMNS": "20"},
    {"PYTHONUTF8": "0", "LANG": "C"},
)
COMPILED = """
import hashlib, sys
from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
files = compile_bundle(load(sys.argv[1]))
print(hashlib.sha256("".join(name + text for name, text in sorted(files.items())).encode()).hexdigest())
"""


def test_the_bundle_depends_on_the_spec_alone(tmp_path) -> None:
    """Hash seed, time zone, locale, home, width and current folder change no byte."""
    words = [sys.executable, "-c", COMPILED, str(EXAMPLES / "llama2-7b.yaml")]
    running = []
    for number, setting in enumerate(SETTINGS):
        (tmp_path / str(number)).mkdir()
        environment = {**os.environ, **setting}
        running.append(
            subprocess.Popen(words, cwd=tmp_path / str(number), env=environment, stdout=subprocess.PIPE, text=True)
        )
    hashes = [process.communicate(timeout=100)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(SETTINGS)
    assert len(hashes[0].strip()) == 64
    assert set(hashes) == {hashes[0]}

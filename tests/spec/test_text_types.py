"""Text that reaches scripts: whatever a spec says, what comes through is a word."""

from __future__ import annotations

import re
import typing

import pytest
from pydantic import TypeAdapter, ValidationError

from trainwright.spec import text_types

KINDS = {
    name: TypeAdapter(kind)
    for name, kind in vars(text_types).items()
    if typing.get_origin(kind) is typing.Annotated
    and any(isinstance(part, text_types.TextPattern) for part in kind.__metadata__)
}
COMMANDS = (
    "$(touch x)",
    "`touch x`",
    "; touch x",
    "| touch x",
    "& touch x",
    "&& touch x",
    "> x",
    "< x",
    "$IFS",
    "${HOME}",
)
PLACES = ("{}", "a{}", "{}a", "a{}a", "'{}'", '"{}"', "a'{}'", "\\{}")
ODD = (
    *(
        "",
        " ",
        "-",
        "-rf",
        "--help",
        "a b",
        "a\tb",
        "a\nb",
        "a\r\nb",
        "a\0b",
        "#SBATCH -p x",
        "a\n#SBATCH -p x",
        "a;b",
        "*",
    ),
    *(
        "~",
        "!",
        "!!",
        "%s",
        "{a,b}",
        "(a)",
        "[a]",
        "a\u2028b",
        "a\x85b",
        "a\u202eb",
        "é",
        "\U0001f600",
        "a" * 5000,
        "../../x y",
    ),
)
HOSTILE = [*(place.format(command) for command in COMMANDS for place in PLACES), *ODD]
# What a shell, a YAML manifest or a Slurm directive would read as more than one word.
SPECIAL = re.compile(r"[\s;&|<>$`'\"\\(){}\[\]*?!~%\x00-\x20\x7f-\uffff]")
# Paths and labels are for people: always quoted where they are rendered, never at the start of an option.
FREE = {"FileGlob", "Label", "Note", "SlurmText", "SlurmValue", "SlurmList", "ShellLine"}
# Shell by design, and values of environment variables, which are quoted: one printable line is all that is asked.
LINES = {"ShellLine", "SlurmValue"}


def accepted(kind: str, text: str) -> bool:
    """Whether a kind of word takes the text."""
    try:
        KINDS[kind].validate_python(text)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_hostile_text_is_refused_or_harmless(kind):
    """Over 100 hostile strings: what is accepted has nothing in it that a shell or a directive would act on."""
    assert len(HOSTILE) > 100
    through = [text for text in HOSTILE if accepted(kind, text)]
    if kind not in LINES:
        assert [text for text in through if text.startswith(("-", "#")) or text.strip() != text or not text] == []
    assert [text for text in through if re.search(r"[\n\r\0]", text)] == []
    if kind not in FREE:
        assert [text for text in through if SPECIAL.search(text)] == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("Name", "llama2-7b-350w"),
        ("Label", "Llama 2 (7B)"),
        ("FileGlob", "corpus/*.jsonl.zst"),
        ("FileGlob", "/data/my corpus/*.txt"),
        ("Key", "A100-SXM4-80GB"),
        ("RdmaDevice", "mlx5_0"),
        ("RdmaDevice", "^mlx5_bond_0"),
        ("RdmaDevice", "eth0.100"),
        ("Host", "node-01.cluster.example.org"),
        ("Host", "10.0.0.1"),
        ("Account", "proj_123"),
        ("Image", "nvcr.io/nvidia/pytorch:26.01-py3"),
        ("Image", "docker://registry:5000/a/b@sha256:0123abc"),
        ("Image", "/shared/images/train+1.sqsh"),
        ("KubernetesName", "ml-team"),
        ("Resource", "nvidia.com/hostdev"),
        ("Variable", "WANDB_API_KEY"),
    ],
)
def test_what_people_use_is_accepted(kind, text):
    """Real names of images, hosts, devices and paths."""
    assert accepted(kind, text)


@pytest.mark.parametrize("name", ["a", "7b", "a.b-c", "a" * 63])
def test_names_of_runs_are_short_and_plain(name):
    """A name becomes a folder, a job and a pod."""
    assert accepted("Name", name)
    assert not accepted("Name", f"{name}-")
    assert not accepted("Name", name.upper() + "A")
    assert not accepted("Name", "a" * 64)

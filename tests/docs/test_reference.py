"""The generated reference is complete: every key, command, code and file has its entry."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import BaseModel

from trainwright.cli import COMMANDS
from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle
from trainwright.compiler.render import TARGETS
from trainwright.docs.tools.command_page import command_page
from trainwright.docs.tools.facts_page import facts_page, presets_page
from trainwright.docs.tools.run_page import events_page, exit_page
from trainwright.docs.tools.spec_page import spec_page
from trainwright.spec.events import KINDS, Event
from trainwright.spec.exit_codes import Exit
from trainwright.spec.facts import facts
from trainwright.spec.hardware import gpu_names
from trainwright.spec.sections import Section, Spec

ROOT = Path(__file__).parents[2]


def rows(page: str) -> list[list[str]]:
    """The cells of every table row of a page, heads included."""
    bars = re.compile(r"`[^`]*`")  # a bar inside code ends no cell
    lines = [
        bars.sub(lambda code: code.group().replace("|", "/"), line) for line in page.splitlines() if line[:2] == "| "
    ]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_key_of_the_spec_is_explained() -> None:
    """Each field of each section has a row, and no row lacks a meaning."""
    table = rows(spec_page())
    keys = {row[0].strip("`") for row in table}
    sections: list[type[BaseModel]] = [
        s for s in Section.__subclasses__() if s.__module__.startswith(Spec.__module__.rpartition(".")[0])
    ]
    assert {name for section in sections for name in section.model_fields} <= keys
    assert [row[0] for row in table if not row[3]] == []


def test_every_command_and_option_is_explained() -> None:
    """Each command has its heading, and no argument or option lacks a meaning."""
    page = command_page()
    assert [f"## {name}" in page for name in COMMANDS] == [True] * len(COMMANDS)
    assert [row[0] for row in rows(page) if not row[1]] == []


def test_every_exit_code_is_explained() -> None:
    """Each code has its row with number and meaning."""
    assert {(row[0], row[1].strip("`")) for row in rows(exit_page())[2:]} == {(str(int(c)), c.name) for c in Exit}


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_explained(kind: str) -> None:
    """Each kind of event has a row that says what happened, and a section with a row for each field of its own."""
    page = events_page()
    assert [row[1] for row in rows(page) if row[0] == f"`{kind}`"] != []
    section = page.split(f"\n### {kind}\n")[1].split("\n### ")[0]
    own = {field.name for field in fields(KINDS[kind])} - {field.name for field in fields(Event)}
    assert {row[0].strip("`") for row in rows(section)[2:]} == own


def test_every_preset_and_place_is_listed_with_its_source() -> None:
    """Models, clusters, devices, and the places of the grid with the licences of their tables."""
    presets, grid = presets_page(), facts("grid")
    names = [*facts("models")["presets"], *facts("clusters")["presets"], *gpu_names()]
    assert [name for name in names if f"`{name}`" not in presets] == []
    page = facts_page()
    places = [*grid["countries"], *grid["subregions"], *grid["aliases"]]
    assert [place for place in places if f"| `{place}` |" not in page] == []
    assert [row["licence"] for row in grid["sources"].values() if row["licence"] not in page] == []


PLACES = {
    "local": [],
    "ssh": ["cluster.gpus=16", "launch.hosts=[node1, node2]"],
    "slurm": ["cluster.power_cap_mode=prolog-file"],
    "kubernetes": ["launch.container=image:1", "launch.volume_claim=data"],
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_file_of_a_bundle_is_explained(target: str) -> None:
    """The page of the bundle names each file that the compiler writes for any target."""
    page = (ROOT / "docs" / "reference" / "bundle.md").read_text(encoding="utf-8")
    example = "tiny-cpu" if target == "local" else "llama2-7b"
    files = compile_bundle(load(ROOT / "examples" / f"{example}.yaml", PLACES[target]), target)
    named = {name for row in rows(page) for name in re.findall(r"`([\w.-]+)`", row[0])}
    assert files.keys() - named == set()

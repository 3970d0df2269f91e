"""The compiler vouches for its output: a file that does not parse back, or two compilations that differ, stop it."""

from __future__ import annotations

import pytest

from trainwright.compiler.pipeline import compile_bundle
from trainwright.compiler.render.verify import UnsoundError, verify
from trainwright.compiler.render.yaml_text import yaml_text
from trainwright.tests.compiler.specs import loaded

DAMAGE = {
    "plan.json": lambda text: text.replace('"version": 1', '"version": 2'),
    "ds_config.json": lambda text: text.replace('"gradient_clipping"', '"gradient_cliping"'),
    "estimate.json": lambda text: text[:-5],
    "launch.sh": lambda text: text + "\nif true; then\n",
    "env.sh": lambda text: text + "\nexport X='\n",
    "spec.lock.yaml": lambda text: text + "\n}: [\n",
    "estimate.md": lambda text: text + "\0",
}


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """A sound bundle."""
    return compile_bundle(loaded("tiny-cpu"))


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_found(files, name: str) -> None:
    """Each kind of file is parsed back, DeepSpeed's keys are known, scripts are bash."""
    damaged = {**files, name: DAMAGE[name](files[name])}
    assert damaged != files
    with pytest.raises(UnsoundError, match=name):
        verify(damaged, damaged)


def test_two_compilations_must_agree(files) -> None:
    """What depends on more than the spec is never written."""
    with pytest.raises(UnsoundError, match=r"differ in env\.sh"):
        verify(files, {**files, "env.sh": files["env.sh"] + "\n"})


def test_a_sound_bundle_passes(files) -> None:
    """The check does not refuse what is right."""
    verify(files, dict(files))


def test_the_lock_compiles_to_the_same_plan(files, tmp_path) -> None:
    """spec.lock.yaml is a spec: compiled, it gives the same plan (but for the hash of its own text)."""
    from trainwright.compiler.load import load
    from trainwright.spec.plan import Plan

    (tmp_path / "lock.yaml").write_text(files["spec.lock.yaml"], encoding="utf-8")
    again = compile_bundle(load(tmp_path / "lock.yaml"))
    plans = [Plan.model_validate_json(text["plan.json"]) for text in (files, again)]
    assert plans[0].model_copy(update={"spec_sha256": ""}) == plans[1].model_copy(update={"spec_sha256": ""})
    assert (files["ds_config.json"], files["node.sh"]) == (again["ds_config.json"], again["node.sh"])


@pytest.mark.parametrize("text", ["1e3", "1E-3", "y", "N", "on", "Off", "0x1f", "0o7", "1_000", "1.5", "null", "~"])
def test_text_stays_text_for_every_reader_of_yaml(text):
    """A value that Go's YAML takes for a number or a truth value is quoted; PyYAML alone would not need it."""
    assert yaml_text([{"value": text}]).splitlines()[-1] in {f'value: "{text}"', f"value: '{text}'"}

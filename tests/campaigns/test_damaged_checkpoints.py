"""Damaged and planted checkpoints: all are found, before anything is unpickled, or without running it."""

from __future__ import annotations

import os
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from trainwright.runtime.checkpoint import full_weights, store
from trainwright.runtime.checkpoint.full_weights import damage, full_shapes
from trainwright.spec.plan import Plan
from trainwright.tests.runtime.conftest import reseal, small_plan

MODEL, OPTIMIZER = "engine/mp_rank_00_model_states.pt", "engine/zero_pp_rank_0_mp_rank_00_optim_states.pt"
NAMES = (MODEL, OPTIMIZER, "state.json", "random-00000.json", store.MANIFEST)


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> tuple[Path, Plan]:
    """A checkpoint of a small model."""
    root, plan = tmp_path_factory.mktemp("sound"), small_plan()
    draft = store.create_draft(root, 3)
    (draft / "engine").mkdir()
    weights = {name: torch.randn(shape) for name, shape in full_shapes(plan.model).items()}
    torch.save({"module": weights, "param_shapes": [], "shared_params": {}}, draft / MODEL)
    torch.save({"optimizer_state_dict": {"fp32_flat_groups": [torch.randn(50)]}}, draft / OPTIMIZER)
    (draft / "state.json").write_text('{"state": {"step": 3, "samples": 12}}')
    (draft / "random-00000.json").write_text('{"cpu": "00"}')
    files = {name: store.hash_file(draft / name) for name in NAMES if name != store.MANIFEST}
    generation = store.publish(draft, 3, files)
    assert damage(generation, plan) is None
    return generation, plan


class Gadget:
    """Makes a folder when it is unpickled."""

    def __init__(self, canary: Path, call: Callable[..., object]) -> None:
        self.canary, self.call = canary, call

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, ...]]:
        """What a pickle executes."""
        return self.call, (str(self.canary),)


def harm(generation: Path, luck: random.Random) -> str:
    """Damage a file as a disk, a copy or a person does; in a word."""
    kind = luck.choice((*CHANGED, "swap", "extra", "gone", "link", "pipe", "folder"))
    path = generation / luck.choice(NAMES)
    if kind in CHANGED:
        content = bytearray(path.read_bytes())
        CHANGED[kind](content, luck)
        path.write_bytes(content)
    elif kind == "swap":
        for source, target in ((MODEL, "x"), (OPTIMIZER, MODEL), ("x", OPTIMIZER)):
            (generation / source).rename(generation / target)
    elif kind == "extra":
        shutil.copy(path, generation / luck.choice(("engine/mp_rank_01_model_states.pt", "engine/latest", "x.json")))
    else:
        path.unlink()
        REPLACED[kind](path)
    return kind


def _flip(content: bytearray, luck: random.Random) -> None:
    content[luck.randrange(len(content))] ^= 1 << luck.randrange(8)


def _cut(content: bytearray, luck: random.Random) -> None:
    del content[luck.randrange(len(content)) :]


def _grow(content: bytearray, luck: random.Random) -> None:
    content += luck.randbytes(luck.randint(1, 99))


def _spoil(content: bytearray, luck: random.Random) -> None:
    """Another sector."""
    start = luck.randrange(len(content))
    content[start : start + 512] = bytes(byte ^ 0xFF for byte in content[start : start + 512])


CHANGED: dict[str, Callable[[bytearray, random.Random], None]] = {
    "flip": _flip, "cut": _cut, "grow": _grow, "spoil": _spoil,
}  # fmt: skip
REPLACED: dict[str, Callable[[Path], object]] = {
    "gone": str,
    "link": lambda path: path.symlink_to("/dev/zero"),
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
}


def plant(generation: Path, luck: random.Random, canary: Path) -> str:
    """Put in something that runs when it is unpickled, or that the model does not have, and seal it anew."""
    path = generation / luck.choice((MODEL, OPTIMIZER))
    gadget = Gadget(canary, luck.choice((os.mkdir, os.makedirs, eval, os.system)))
    state = torch.load(path, weights_only=True)
    kind = luck.choice(("gadget", "key", "bare pickle", "name", "path", "huge", "deep"))
    if kind == "gadget":
        state[luck.choice(("module", "optimizer_state_dict", "extra"))] = gadget
    elif kind == "key":
        state["lists"] = [1, (2, {"x": gadget})]
    elif kind == "name":
        state["module"] = {f"model.layers.{luck.randint(90, 99)}.x-y": torch.zeros(2)}
    elif kind == "path":
        state[luck.choice(("../../x", "/etc/x", "a/b", "..\\x"))] = torch.zeros(2)
    elif kind == "huge":
        state["module"] = torch.zeros(1).expand(10**9, 10**3)
    elif kind == "deep":
        for _ in range(40):
            state = [state]
    if kind == "bare pickle":
        path.write_bytes(pickle.dumps({"module": gadget}, protocol=luck.choice((0, 2, 4))))
    else:
        torch.save(state, path)
    reseal(generation)
    return kind


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "campaign", [60, pytest.param(1200, marks=pytest.mark.slow)], indirect=True, ids=["slice", "all"]
)
def test_no_damage_is_missed_and_nothing_is_executed(campaign, sound, tmp_path, monkeypatch) -> None:
    """Damage is found before any unpickling; what was sealed anew is refused without running anything of it."""
    template, plan = sound
    unpickled: list[Path] = []
    look = full_weights.refusal
    monkeypatch.setattr(full_weights, "refusal", lambda path, shapes: unpickled.append(path) or look(path, shapes))
    canary = tmp_path / "canary"
    for luck in campaign.cases():
        generation = tmp_path / template.name
        shutil.rmtree(generation, ignore_errors=True)
        shutil.copytree(template, generation)
        planted = luck.random() < 0.25
        kind = plant(generation, luck, canary) if planted else harm(generation, luck)
        unpickled.clear()
        assert damage(generation, plan) is not None, kind
        assert planted or not unpickled, kind
        assert not canary.exists(), kind
        campaign.count("planted" if planted else "damaged")

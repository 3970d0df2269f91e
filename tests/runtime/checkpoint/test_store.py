"""Generations on disk: the newest complete one is always found, whatever was killed, damaged or full."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import pytest

from trainwright.runtime.checkpoint import store
from trainwright.spec.run_folder import checkpoint_name

FILES = {"engine/model.pt": 40_000, "engine/optimizer.pt": 30_000, "state.json": 200}


def write(root: Path, step: int) -> Path:
    """Publish a generation of pseudo-random files."""
    folder = store.create_draft(root, step)
    generator = random.Random(step)  # noqa: S311 - not a secret
    for name, size in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(generator.randbytes(size))
    published = store.publish(folder, step, {name: store.hash_file(folder / name) for name in FILES})
    store.prune(root, 10**9, 2, 0)
    return published


def newest_sound(root: Path) -> Path | None:
    """What a restart would use."""
    return next((g for g in store.list_checkpoints(root) if store.find_damage(g) is None), None)


@pytest.fixture
def root(tmp_path):
    """A folder with two generations."""
    write(tmp_path, 1)
    write(tmp_path, 2)
    return tmp_path


def in_child_killed_at(count: int, action) -> bool:
    """Run `action` in a child that kills itself before its `count`-th change of the file system. Whether it died."""
    child = os.fork()
    if child == 0:
        left = [count]

        def watch(event: str, arguments: tuple) -> None:
            changes = event in {"os.rename", "os.mkdir", "os.remove", "os.rmdir"}
            if changes or (event == "open" and isinstance(arguments[1], str) and "w" in arguments[1]):
                left[0] -= 1
                if not left[0]:
                    os.kill(os.getpid(), signal.SIGKILL)

        real_fsync = os.fsync

        def fsync(handle: int) -> None:
            watch("os.rename", ())
            real_fsync(handle)

        os.fsync = fsync
        sys.addaudithook(watch)
        action()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_kill_at_any_moment_leaves_a_sound_newest_generation(root):
    """Killed before any open, fsync, rename or removal of a save: generation 2 or 3 loads, and saving works again."""
    spare, deaths = root.with_name("spare"), 0
    shutil.copytree(root, spare)
    while in_child_killed_at(deaths + 1, lambda: write(root, 3)):
        deaths += 1
        found = newest_sound(root)
        assert found is not None
        assert store.step_of(found) in {2, 3}
        assert write(root, 4) == newest_sound(root)
        assert not [p for p in root.iterdir() if p.name.startswith(".")]
        shutil.rmtree(root)
        shutil.copytree(spare, root)
    assert deaths > 15


def test_every_kind_of_damage_is_found(root):
    """Flipped bits, cuts, missing, empty, swapped and added files, an edited manifest: none passes."""
    newest, generator = root / checkpoint_name(2), random.Random(0)  # noqa: S311 - not a secret
    keep = {path: path.read_bytes() for path in newest.rglob("*") if path.is_file()}
    for round_ in range(200):
        path = generator.choice(sorted(keep))
        content = bytearray(keep[path])
        if round_ % 2:
            content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        else:
            del content[generator.randrange(len(content)) :]
        path.write_bytes(content)
        assert store.find_damage(newest) is not None, (round_, path)
        path.write_bytes(keep[path])
    model, optimizer = (newest / name for name in list(FILES)[:2])
    model.rename(newest / "x"), optimizer.rename(model), (newest / "x").rename(optimizer)
    assert store.find_damage(newest) is not None
    optimizer.write_bytes(keep[optimizer]), model.write_bytes(keep[model])
    (newest / "planted.pt").write_bytes(b"")
    assert store.find_damage(newest) == "step-00000002/planted.pt is not in the manifest"
    (newest / "planted.pt").unlink()
    assert store.find_damage(newest) is None
    model.unlink()
    model.symlink_to(root / checkpoint_name(1) / "engine/model.pt")
    assert store.find_damage(newest) == "step-00000002/engine/model.pt is missing"


def test_the_generation_before_is_used(root):
    """With the newest damaged, the one before is sound."""
    (root / checkpoint_name(2) / store.MANIFEST).write_bytes(b"{}")
    assert newest_sound(root) == root / checkpoint_name(1)


def test_old_generations_go_and_milestones_stay(tmp_path):
    """The newest two stay, and every multiple of three."""
    for step in range(1, 9):
        write(tmp_path, step)
        store.prune(tmp_path, 10**9, 2, 3)
    assert [store.step_of(g) for g in store.list_checkpoints(tmp_path)] == [8, 7]
    for step in range(9, 14):
        folder = store.create_draft(tmp_path, step)
        store.publish(folder, step, {})
        store.prune(tmp_path, 10**9, 2, 3)
    assert [store.step_of(g) for g in store.list_checkpoints(tmp_path)] == [13, 12, 9]
    assert (tmp_path / store.LATEST).read_text() == checkpoint_name(13)


@pytest.mark.parametrize("harm", ["cut", "later"])
def test_only_whole_checkpoints_up_to_now_are_counted(tmp_path, harm):
    """One that is cut short, or later than the step, is none to fall back to: the new one and the one before stay."""
    for step in (1, 2, 3):
        write(tmp_path, step)
    if harm == "cut":
        next((tmp_path / checkpoint_name(3) / "engine").iterdir()).write_bytes(b"")
    step, keep, expected = (4, 2, [4, 2]) if harm == "cut" else (2, 1, [3, 2])
    write(tmp_path, step)
    store.prune(tmp_path, step, keep, 0)
    assert [store.step_of(g) for g in store.list_checkpoints(tmp_path)] == expected


HOSTILE_NAMES = [
    "engine/mp_rank_00.bak",
    "engine/deep/mp_rank_00.pt",
    "../x.pt",
    "/etc/passwd",
    "engine/\u202ex.pt",
    "",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_file_that_no_save_of_ours_writes_is_damage(root, name):
    """A manifest with the right seal that names anything else: the generation is passed over."""
    newest = store.list_checkpoints(root)[0]
    raw = json.loads((newest / store.MANIFEST).read_text())
    body = {"format": raw["format"], "step": raw["step"], "files": raw["files"] | {name: raw["files"]["state.json"]}}
    sealed = body | {"sha256": store._digest(body)}
    (newest / store.MANIFEST).write_text(json.dumps(sealed))
    assert "is not a file of a checkpoint" in (store.find_damage(newest) or "")


@pytest.mark.parametrize(
    "content", [b"[" * 100_000, b"[]", b"null", b'{"files": 3}', b"\xff", b'{"sha256": {}}', b"1" * 9999]
)
def test_a_hostile_manifest_is_damage(root, content):
    """Whatever stands in the manifest, the answer is a sentence, never a traceback."""
    newest = store.list_checkpoints(root)[0]
    (newest / store.MANIFEST).write_bytes(content)
    assert "manifest.json is damaged" in (store.find_damage(newest) or "")


def test_a_manifest_that_is_no_file_is_damage(root):
    """A FIFO does not block, and a link is not followed."""
    newest = store.list_checkpoints(root)[0]
    real = newest / store.MANIFEST
    real.rename(root / "elsewhere")
    for plant in (os.mkfifo, os.mkdir, lambda path: path.symlink_to(root / "elsewhere")):
        plant(real)
        assert "manifest.json is damaged" in (store.find_damage(newest) or "")
        real.rmdir() if real.is_dir() else real.unlink()


def test_with_a_key_only_its_holder_can_seal(root, reseal):
    """Files swapped together with their hashes are found where checkpoints are signed, under another key or none."""
    newest, key = store.list_checkpoints(root)[0], b"k" * 32
    reseal(newest, key)
    assert store.find_damage(newest, key=key) is None
    assert store.find_damage(newest) is None
    (newest / "state.json").write_bytes(b"{}")
    for other in (b"", b"another key"):
        reseal(newest, other)
        assert store.find_damage(newest) is None
        assert "is not signed with the key" in (store.find_damage(newest, key=key) or "")

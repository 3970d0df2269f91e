"""Writing a bundle: whole or not at all, only over a bundle, never through a link, and edits by hand are noticed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from trainwright.compiler.render.write_bundle import stale, write
from trainwright.spec import atomic_folder as module
from trainwright.spec.manifest import MANIFEST, changed_files, manifest
from trainwright.spec.problem import InputError


def bundle(content: str) -> dict[str, str]:
    """A small bundle, each file of which holds `content`."""
    files = {"launch.sh": f"#!/usr/bin/env bash\n: {content}\n", "plan.json": f'"{content}"\n', "env.sh": content}
    return {**files, MANIFEST: manifest(files, "test")}


def read(folder: Path) -> dict[str, str]:
    """The files of a folder."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return [path.name for path in folder.iterdir()]


def code(error: pytest.ExceptionInfo[InputError]) -> str:
    """The code of the one problem."""
    return error.value.problems[0].code


def test_a_bundle_is_written_and_replaced(tmp_path) -> None:
    """The folder holds exactly the files, scripts can be run, nobody else can read, and nothing is left beside it."""
    folder = tmp_path / "build" / "b"
    assert write(bundle("old"), folder)
    assert write(bundle("new"), folder)
    assert read(folder) == bundle("new")
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "launch.sh": 0o700,
        "env.sh": 0o700,
        "plan.json": 0o600,
        MANIFEST: 0o600,
    }
    assert names(folder.parent) == ["b"]


def test_the_same_bundle_is_left_alone(tmp_path) -> None:
    """A second compilation of the same spec writes nothing."""
    write(bundle("same"), tmp_path / "b")
    before = (tmp_path / "b").stat().st_ino
    assert not write(bundle("same"), tmp_path / "b")
    assert (tmp_path / "b").stat().st_ino == before


def test_modes_do_not_depend_on_umask(tmp_path) -> None:
    """A wide or narrow umask gives the same bundle."""
    old = os.umask(0o077)
    try:
        write(bundle("a"), tmp_path / "narrow")
        os.umask(0)
        write(bundle("a"), tmp_path / "wide")
    finally:
        os.umask(old)
    modes = [sorted(path.stat().st_mode for path in (tmp_path / name).iterdir()) for name in ("narrow", "wide")]
    assert modes[0] == modes[1]


def test_what_is_no_bundle_is_not_replaced(tmp_path) -> None:
    """A folder of the user's own, or a file, stays as it is."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("mine too")
    for name in ("mine", "file"):
        with pytest.raises(InputError) as caught:
            write(bundle("x"), tmp_path / name, force=True)
        assert code(caught) == "TW632"
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"


def test_an_empty_folder_becomes_a_bundle(tmp_path) -> None:
    """Somebody made the folder first; there is nothing to lose."""
    (tmp_path / "b").mkdir()
    assert write(bundle("x"), tmp_path / "b")
    assert read(tmp_path / "b") == bundle("x")


def test_a_link_is_not_followed(tmp_path) -> None:
    """What would be replaced must be what the path says."""
    write(bundle("elsewhere"), tmp_path / "elsewhere")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError) as caught:
        write(bundle("x"), tmp_path / "link")
    assert code(caught) == "TW631"
    assert read(tmp_path / "elsewhere") == bundle("elsewhere")


@pytest.mark.parametrize("edit", ["changed", "removed", "added", "linked", "manifest"])
def test_an_edit_by_hand_is_noticed_and_kept(tmp_path, edit: str) -> None:
    """A file that was changed, removed, added or made a link is named; only force replaces it."""
    folder = tmp_path / "b"
    write(bundle("old"), folder)
    target = folder / {"added": "notes.txt", "manifest": MANIFEST}.get(edit, "launch.sh")
    text = target.read_text() if target.exists() else ""
    if edit in ("removed", "linked"):
        target.unlink()
    if edit == "linked":
        (tmp_path / "launch.sh").write_text(text)
        target.symlink_to(tmp_path / "launch.sh")
    elif edit != "removed":
        target.write_text(text + "edited\n")
    assert [finding.split()[0] for finding in changed_files(folder)] == [target.name]
    with pytest.raises(InputError) as caught:
        write(bundle("new"), folder)
    assert code(caught) == "TW633"
    assert target.name in caught.value.problems[0].message
    assert write(bundle("new"), folder, force=True)
    assert read(folder) == bundle("new")


def test_stale_names_what_differs(tmp_path) -> None:
    """`compile --check` says which files of a checked-in bundle are not what the spec gives."""
    write(bundle("old"), tmp_path / "b")
    new = {**bundle("old"), "env.sh": "new"}
    assert (stale(bundle("old"), tmp_path / "b"), stale(new, tmp_path / "b")) == ([], ["env.sh"])
    assert stale(bundle("old"), tmp_path / "absent") == sorted(bundle("old"))


@pytest.mark.parametrize("name", ["../escape", "/etc/hostname", "a/b"])
def test_a_manifest_cannot_name_files_outside(tmp_path, name: str) -> None:
    """A manifest that points elsewhere is itself a change; nothing outside is read."""
    write(bundle("x"), tmp_path / "b")
    text = (tmp_path / "b" / MANIFEST).read_text()
    (tmp_path / "b" / MANIFEST).write_text(text.replace("  env.sh", f"  {name}"))
    assert "MANIFEST was changed" in changed_files(tmp_path / "b")


CALLS = ("open", "fsync", "fchmod", "mkdir", "rename", "replace", "rmdir", "unlink")


def killed_write(folder: Path, moment: int, *, exchange: bool) -> int:
    """Write over a bundle in a process that kills itself before the given call that touches the disk; its status."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    left = [moment]

    def dying(call):
        def wrapped(*words, **options):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return call(*words, **options)

        return wrapped

    for name in CALLS:
        setattr(os, name, dying(getattr(os, name)))
    module._exchanged = dying(module._exchanged if exchange else lambda *_: False)
    write(bundle("new"), folder)
    os._exit(0)


@pytest.mark.parametrize("exchange", [True, False], ids=["exchange", "no exchange"])
def test_killed_at_any_moment_the_bundle_is_old_or_new(tmp_path, exchange: bool) -> None:
    """SIGKILL before each call that touches the disk: never a mixture, and the next compilation repairs what is left.

    A file system without an exchange of two folders (NFS) may be caught with no bundle, never with a mixed one.
    """
    allowed = [bundle("old"), bundle("new")] + ([] if exchange else [{}])
    seen = []
    for moment in range(200):
        folder = tmp_path / str(moment) / "b"
        write(bundle("old"), folder)
        status = killed_write(folder, moment, exchange=exchange)
        found = read(folder) if folder.exists() else {}
        assert found in allowed
        seen.append(found == bundle("new"))
        write(bundle("newer"), folder)
        assert (read(folder), names(folder.parent)) == (bundle("newer"), ["b"])
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
    assert status == 0
    assert len(seen) > 10
    assert (seen[0], seen[-1]) == (False, True)

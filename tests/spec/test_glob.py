"""Patterns of a corpus: the shell's conventions, and everything that is left out has its name and reason."""

import os
from pathlib import Path

import pytest

from trainwright.spec.glob import described, find, shown


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with everything that a corpus can have in it."""
    for name in ("a/1.txt", "a/.2.txt", "a/[3].txt", "a/b/4.txt", "z/5.txt", ".h/6.txt", "a/7.md", "a/b\\c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/link.txt").symlink_to("1.txt")
    (tmp_path / "a/gone.txt").symlink_to("nothing")
    (tmp_path / "a/self.txt").symlink_to("self.txt")
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / "far").symlink_to("z")
    os.mkfifo(tmp_path / "a/pipe.txt")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/\xff.txt")).touch()
    return tmp_path


def names(tree: Path, pattern: str) -> list[str]:
    """The files that a pattern finds, below the tree."""
    return [shown(path.relative_to(tree)) for path in find(pattern, tree).files]


NO_LINK = ["a/1.txt", "a/[3].txt", "a/b\\c.txt", "a/\\xff.txt"]
MATCHES = {
    "a/*.txt": NO_LINK,
    "a//./*.txt": NO_LINK,
    "a/.*.txt": ["a/.2.txt"],
    "a/[0-9].txt": ["a/1.txt"],
    "a/[!1].txt": ["a/\\xff.txt"],
    "a/?.txt": ["a/1.txt", "a/\\xff.txt"],
    r"a/\[3\].txt": ["a/[3].txt"],
    "a/[[]3].txt": ["a/[3].txt"],
    "a/[3].txt": [],
    "a/[9-0].txt": [],
    "a/[.txt": [],
    r"a/b\\c.txt": ["a/b\\c.txt"],
    ".h/*.txt": [".h/6.txt"],
    "*/5.txt": ["z/5.txt"],
    "far/*.txt": ["far/5.txt"],
    "**/b/**/*.txt": ["a/b/4.txt"],
    "**.txt": [],
    "z/../z/5.txt": ["z/../z/5.txt"],
    "none/*.txt": [],
    "a/1.txt/*": [],
    "x" * 300: [],
}


@pytest.mark.parametrize("pattern", MATCHES)
def test_a_pattern_names_what_the_shell_would(tree, pattern):
    """Wildcards stay in one name, dots must be written, brackets can be escaped."""
    assert names(tree, pattern) == MATCHES[pattern]


def test_any_depth_follows_links_once(tree):
    """`**` also goes through links to folders, never in circles, and reads each file under one name."""
    assert names(tree, "**/*.txt") == [*NO_LINK[:2], "a/b/4.txt", *NO_LINK[2:], "z/5.txt"]
    left_out = {shown(entry.path.relative_to(tree)): entry.reason for entry in find("**/*.txt", tree).left_out}
    assert left_out == {
        ".h": "hidden",
        "a/.2.txt": "hidden",
        "a/gone.txt": "a link to nothing",
        "a/link.txt": f"the same file as {tree}/a/1.txt",
        "a/pipe.txt": "a pipe",
        "a/self.txt": "a link to nothing",
        "a/up": "a link to a folder above it",
        "far/5.txt": f"the same file as {tree}/z/5.txt",
    }


def test_linked_folders_are_read(tmp_path):
    """A corpus that is only linked into the project is found below `**`."""
    (tmp_path / "disk/deep").mkdir(parents=True)
    (tmp_path / "disk/deep/a.txt").touch()
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus/part").symlink_to(tmp_path / "disk")
    assert names(tmp_path, "corpus/**/*.txt") == ["corpus/part/deep/a.txt"]
    assert names(tmp_path, "corpus/**") == ["corpus/part/deep/a.txt"]


def test_many_links_to_each_other_end_soon(tmp_path):
    """Twelve folders that all link to all others have 12! paths, of which few are walked."""
    for number in range(12):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "a.txt").touch()
        for other in range(12):
            (tmp_path / f"{number}" / f"to-{other}").symlink_to(f"../{other}")
    assert len(find("**/*.txt", tmp_path).files) == 12


def test_a_deep_tree_is_walked(tmp_path):
    """Depth costs no recursion."""
    deepest = tmp_path.joinpath(*["d"] * 600)
    deepest.mkdir(parents=True)
    (deepest / "a.txt").touch()
    assert len(find("**/*.txt", tmp_path).files) == 1


def test_bounds_stop_the_search_and_say_so(tree):
    """`check` looks only so far."""
    assert not find("**/*.txt", tree, most_folders=2).complete
    assert not find("**/*.txt", tree, most_files=1).complete
    assert find("**/*.txt", tree, most_files=100, most_folders=100).complete


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_may_not_be_listed_is_named(tree):
    """Its files would be missing in silence."""
    (tree / "z").chmod(0)
    try:
        assert "a folder that may not be listed" in {entry.reason for entry in find("z/*.txt", tree).left_out}
    finally:
        (tree / "z").chmod(0o755)


def test_what_was_left_out_is_counted_with_examples(tmp_path):
    """Three names of each kind, and how many more."""
    for number in range(5):
        (tmp_path / f".{number}").touch()
    (tmp_path / "folder").mkdir()
    text = described(find("*", tmp_path).left_out)
    first = ", ".join(f"{tmp_path}/.{number}" for number in range(3))
    assert text == f"1 x a folder ({tmp_path}/folder); 5 x hidden ({first} and 2 more)"

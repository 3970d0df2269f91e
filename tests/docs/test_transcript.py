"""Shell examples: what runs, what is recorded, what a wrong exit code does."""

from pathlib import Path

import pytest

from trainwright.docs.tools.transcript import Wrong, filled, recorded, shell


def test_output_is_put_below_its_command(tmp_path: Path) -> None:
    """Each command is followed by what it prints, error output included."""
    page = "```console\n$ echo one\n$ echo two >&2\n```\n"
    assert filled(page, shell(tmp_path)) == "```console\n$ echo one\none\n$ echo two >&2\ntwo\n```\n"


def test_files_of_a_page_are_there(tmp_path: Path) -> None:
    """A block with a title is a file for the commands after it; a later one of that name replaces it."""
    page = '```yaml title="a/b.yaml"\nx: 1\n```\n```console\n$ cat a/b.yaml\n```\n'
    assert "$ cat a/b.yaml\nx: 1\n" in filled(page, shell(tmp_path))


def test_an_unexpected_exit_code_stops_the_build(tmp_path: Path) -> None:
    """A command that fails, or one that should fail and does not, is an error that names it."""
    with pytest.raises(Wrong, match="`false` ended with 1, not 0"):
        filled("```console\n$ false\n```\n", shell(tmp_path))
    with pytest.raises(Wrong, match="`true` ended with 0, not 2"):
        filled("```console exit=2\n$ true\n```\n", shell(tmp_path))


def test_an_expected_exit_code_is_not_shown(tmp_path: Path) -> None:
    """The page that readers see holds no option of ours."""
    assert filled("```console exit=3\n$ exit 3\n```\n", shell(tmp_path)) == "```console\n$ exit 3\n```\n"


def test_recorded_output_is_renewed_only_when_asked(tmp_path: Path) -> None:
    """A block with output stays as it is in the site; recording replaces it and leaves the others empty."""
    page = "```console\n$ echo new\nold\n```\n```console\n$ echo cheap\n```\n"
    assert "$ echo new\nold\n" in filled(page, shell(tmp_path))
    assert recorded(page, shell(tmp_path)) == page.replace("old", "new")


def test_indented_blocks_keep_their_indent(tmp_path: Path) -> None:
    """Blocks inside lists and admonitions stay inside."""
    page = "!!! note\n    ```console\n    $ echo one\n    ```\n"
    assert filled(page, shell(tmp_path)) == "!!! note\n    ```console\n    $ echo one\n    one\n    ```\n"


def test_commands_see_no_colours_and_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of an example is a plain terminal without the builder's variables."""
    monkeypatch.setenv("MY_TOKEN", "secret")
    text = filled("```console\n$ env\n```\n", shell(tmp_path))
    assert "secret" not in text
    assert "NO_COLOR=1" in text

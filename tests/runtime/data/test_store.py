"""The store: a dataset is found by its digest, shared by link, and removed only when nobody needs it."""

import subprocess
import sys

import pytest

from trainwright.runtime.data.store import DatasetStore, hold_for_reading
from trainwright.spec.problem import InputError
from trainwright.spec.run_folder import RunFolder

ONE, TWO = "1" * 64, "1" * 63 + "2"


@pytest.fixture
def store(tmp_path) -> DatasetStore:
    """A store with one dataset, beside the runs."""
    made = DatasetStore(tmp_path / "runs" / ".datasets")
    made.folder(ONE).mkdir(parents=True)
    (made.folder(ONE) / "index.json").write_text("{}")
    return made


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run folder."""
    (tmp_path / "runs" / "a").mkdir(parents=True, exist_ok=True)
    return RunFolder(tmp_path / "runs" / "a")


def test_a_dataset_is_named_by_its_first_letters(store):
    """Enough letters to tell it from the others; none or two are an error."""
    assert store.find("1" * 8) == ONE
    store.folder(TWO).mkdir()
    for start in ("1", "2", ""):
        with pytest.raises(InputError, match="TW870"):
            store.find(start)


def test_what_a_run_refers_to_is_kept(store, run):
    """The run is named; without it the dataset goes, and its draft."""
    store.link(run, ONE)
    assert (run.data / "index.json").is_file()
    assert store.remove(ONE) == store.why_kept(ONE) == f"used by {run.path}"
    run.data.unlink()
    assert store.why_kept(ONE) is None
    store.draft(ONE).mkdir()
    assert store.remove(ONE) is None
    assert (store.digests, store.drafts) == ([], [])


def test_a_run_elsewhere_is_known_by_its_note(store, tmp_path):
    """A site's store does not see its runs: they are noted when they are linked, and again where they moved to."""
    far = RunFolder(tmp_path / "project" / "far")
    far.path.mkdir(parents=True)
    store.link(far, ONE)
    assert store.users(ONE) == [far.path]
    moved = RunFolder(far.path.rename(tmp_path / "moved"))
    assert store.users(ONE) == []
    store.refresh(moved)
    assert store.users(ONE) == [moved.path]


def test_runs_and_their_store_move_together(store, run, tmp_path):
    """The link beside the runs is relative."""
    store.link(run, ONE)
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "a" / "data" / "index.json").is_file()
    assert DatasetStore(tmp_path / "elsewhere" / ".datasets").users(ONE) == [tmp_path / "elsewhere" / "a"]


def test_a_link_takes_the_place_of_a_folder(store, run):
    """Shards that a run had in its own folder give way to those that it now refers to."""
    run.data.mkdir()
    (run.data / "old.bin").write_bytes(b"x")
    store.link(run, ONE)
    assert run.data.resolve() == store.folder(ONE)


READER = "import sys, pathlib; from trainwright.runtime.data.store import hold_for_reading as hold;"


def test_what_a_process_reads_is_kept(store):
    """As long as it lives, and no longer."""
    code = f"{READER} hold(pathlib.Path(sys.argv[1])); print('ready', flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", code, str(store.folder(ONE))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "ready\n"
        assert store.remove(ONE) == store.why_kept(ONE) == "being prepared or read"
        assert store.digests == [ONE]
        reader.stdin.close()
    assert store.remove(ONE) is None


def test_a_folder_of_shards_that_is_no_dataset_needs_no_lock(tmp_path):
    """The shards of older runs lie in their own folder."""
    hold_for_reading(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_preparations_wait_for_each_other(store):
    """The second is told why it waits; workers of one preparation do not wait."""
    waited = []
    with store.preparing(ONE, lambda: waited.append("first"), together=True):
        with store.preparing(ONE, lambda: waited.append("worker"), together=True):
            pass
        with pytest.raises(InterruptedError), store.preparing(ONE, _interrupt):
            pass
        assert store.remove(ONE) == "being prepared or read"
    assert waited == []


def _interrupt() -> None:
    raise InterruptedError

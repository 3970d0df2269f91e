"""Promises about what belongs to a run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.spec.problem import InputError
from trainwright.spec.run_parts import owning_run, refuse_part_of_run


def test_what_lies_behind_a_link_of_a_run_is_part_of_it(tmp_path: Path) -> None:
    """A run's data is a link to a dataset that other runs share: nobody else may write through it."""
    run, dataset = tmp_path / "run", tmp_path / "store/digest"
    run.mkdir()
    dataset.mkdir(parents=True)
    (run / "events.jsonl").touch()
    (run / "data").symlink_to(dataset)
    (tmp_path / "alias").symlink_to(run)
    assert owning_run(run / "data") == run
    assert owning_run(run / "data/deeper/still") == run
    assert owning_run(tmp_path / "alias/data/x") is not None
    assert owning_run(tmp_path / "elsewhere/data") is None
    with pytest.raises(InputError, match="TW634"):
        refuse_part_of_run(run / "data", "--run")

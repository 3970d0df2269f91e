"""Every layout's run is resumed on another number of devices."""

from __future__ import annotations

import pytest

from trainwright.spec.exit_codes import Exit
from trainwright.spec.plan import read_plan


def test_a_run_of_any_layout_resumes_in_another(case, trained, resharded):
    """Weights and optimizer come through the converter onto the devices; no step is lost or taken twice.

    DeepSpeed cannot convert pipelines of ours: such a run is told so before anything is changed.
    """
    gpus, _ = case.then
    assert gpus != case.gpus
    attempt, stages = resharded.attempts[0], read_plan(trained.bundle).layout.pipeline
    assert [Exit.INPUT if stages > 1 else Exit.DONE] * gpus == attempt.codes, attempt.outputs[0][-3000:]
    assert ("this setting cannot change during a run" in attempt.outputs[0]) == (stages > 1)
    assert len(resharded.events("step")) == (4 if stages > 1 else 6)


@pytest.mark.parametrize("case", ["zero-3-a-copy-a-node"], indirect=True)
def test_a_rank_holds_a_file_at_a_time_while_it_converts(trained, resharded):
    """Two ranks convert the files of four: neither ever holds half of the state."""
    newest = max(trained.run.path.rglob("*optim_states.pt"), key=lambda file: file.stat().st_mtime).parent
    state = sum(file.stat().st_size for file in newest.glob("*optim_states.pt"))
    marks = [event["name"].split() for trace in resharded.attempts[0].traces for event in trace.of("mark")]
    held = [int(mark[1]) for mark in marks if mark[0] == "converted"]
    assert len(held) == 2
    assert max(held) < state / 2

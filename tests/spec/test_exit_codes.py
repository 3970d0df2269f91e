"""Promises of the table of exit codes."""

from trainwright.spec.exit_codes import FINAL, Exit


def test_a_crash_of_any_program_is_tried_again():
    """Code 1 is what most programs crash with: a run that ends so is started again, one at its end is not."""
    assert 1 not in FINAL
    assert {Exit.DONE, Exit.INPUT, Exit.DIVERGED} <= FINAL

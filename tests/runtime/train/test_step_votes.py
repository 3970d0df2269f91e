"""Votes of several ranks, added up as the all-reduce adds them."""

from trainwright.runtime.energy.meter_reading import Reading
from trainwright.runtime.train.step_votes import StepVotes

RANKS = [
    StepVotes(2.0, signalled=True, stop_file=True, meter=Reading("nvml", 100.0, 300.0, covered_seconds=2.0)),
    StepVotes(3.0, checkpoint_due=True, checkpoint_written=True, profile_asked=True),
]


def test_every_vote_arrives_under_its_name():
    """Packed, summed over ranks and unpacked, each number is where its name says."""
    summed = [sum(numbers) for numbers in zip(*(votes.vector() for votes in RANKS), strict=True)]
    assert StepVotes.from_vector(summed) == StepVotes(
        5.0, 1.0, 1.0, 1.0, 1.0, 1.0, Reading("nvml", 100.0, 300.0, covered_seconds=2.0)
    )


def test_a_signal_says_more_than_the_stop_file():
    """Both may come at once; without either the run continues."""
    assert [StepVotes(signalled=s, stop_file=f).stop_reason for s, f in ((1, 1), (0, 1), (0, 0))] == [
        "signal",
        "stop-file",
        "",
    ]

"""Normal numbers by counter: a function of key and position alone, and normal."""

from __future__ import annotations

import pytest
import torch

from trainwright.runtime.model import counter_normal
from trainwright.runtime.model.counter_normal import fill_normal

FIRST = [1067929251, 1059343233, 1071050729, -1085729311]


def drawn(count: int, key: int, kind: torch.dtype = torch.float32) -> torch.Tensor:
    """So many numbers of standard deviation 1."""
    weight = torch.empty(count, dtype=kind)
    fill_normal(weight, 1.0, key)
    return weight


def test_the_numbers_are_those_of_every_device_and_release() -> None:
    """Their bits never change: a run's initial weights are its seed's."""
    assert drawn(4, 7).view(torch.int32).tolist() == FIRST


@pytest.mark.parametrize("block", [1, 7, 64])
def test_a_position_has_its_number_whatever_is_drawn_with_it(monkeypatch, block: int) -> None:
    """In blocks of any size, alone or with others."""
    whole = drawn(100, 3)
    monkeypatch.setitem(counter_normal.BLOCK, "cpu", block)
    assert torch.equal(drawn(100, 3), whole)
    assert torch.equal(drawn(10, 3), whole[:10])


def test_they_are_normal() -> None:
    """Mean, deviation, skewness, kurtosis and tails of two million are those of the normal distribution."""
    x = drawn(2**21, 1).double()
    moments = [x.pow(power).mean().item() for power in (1, 2, 3, 4)]
    assert moments == pytest.approx([0, 1, 0, 3], abs=0.02)
    assert (x.abs() > 3).double().mean().item() == pytest.approx(0.0027, rel=0.05)


def test_keys_and_neighbours_have_nothing_in_common() -> None:
    """Numbers of consecutive keys, and consecutive numbers, are uncorrelated."""
    one, other = drawn(2**20, 5), drawn(2**20, 6)
    assert abs((one * other).mean().item()) < 0.005
    assert abs((one[1:] * one[:-1]).mean().item()) < 0.005


def test_a_narrow_type_is_the_wide_one_rounded() -> None:
    """A model that is built in bf16 begins with the weights that an fp32 one would be cast to."""
    assert torch.equal(drawn(1000, 2, torch.bfloat16), drawn(1000, 2).bfloat16())

"""Promises of dividing layers over pipeline stages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainwright.spec.stage_layers import split


def test_llama_3_is_divided_as_meta_did():
    """126 layers on 16 stages: the first and the last have one less (arXiv 2407.21783, section 3.3.2)."""
    assert split(126, 16, 0.66) == (7, *(8,) * 14, 7)


@given(st.integers(1, 200), st.integers(1, 32), st.floats(0, 8))
def test_every_layer_has_one_stage_and_none_is_slower_than_equal_ones(layers, stages, head):
    """No stage is empty; the slowest is at most as slow as with equally many layers each."""
    if stages > layers:
        return
    found = split(layers, stages, head)
    assert (sum(found), len(found), min(found) > 0) == (layers, stages, True)
    if stages > 1:
        equal = -(-layers // stages)
        assert max(*found[:-1], found[-1] + head) <= max(equal, equal + head) + 1e-9

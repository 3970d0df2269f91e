"""Promises of the collective formulas."""

from __future__ import annotations

import pytest

from trainwright.compiler.cost.case import Hardware
from trainwright.compiler.cost.network import bandwidth, gather_seconds, group, reduce_seconds, send_seconds
from trainwright.spec.hardware import gpu

DGX = Hardware(gpu("A100"), 8, 25e9, "infiniband")
GIB = 2**30


def test_groups_know_how_many_members_share_a_node():
    """Ranks a stride apart: eight of a node for stride 1, one for stride 8."""
    assert (group(DGX, 64, 1).per_node, group(DGX, 64, 1).nodes) == (8, 8)
    assert (group(DGX, 32, 8).per_node, group(DGX, 32, 8).nodes) == (1, 32)
    assert (group(DGX, 8, 4).per_node, group(DGX, 8, 4).nodes) == (2, 4)


def test_one_rank_talks_to_nobody():
    """A group of one costs nothing."""
    assert gather_seconds(DGX, group(DGX, 1, 1), GIB) == 0.0
    assert reduce_seconds(DGX, group(DGX, 1, 1), GIB) == 0.0


def test_all_reduce_in_a_node_reaches_nccl_tests():
    """nccl-tests on DGX A100: about 230 GB/s bus bandwidth for large messages."""
    seconds = reduce_seconds(DGX, group(DGX, 8, 1), GIB)
    assert 2 * 7 / 8 * GIB / seconds == pytest.approx(231e9, rel=0.05)


def test_rings_over_nodes_use_every_adapter():
    """A whole-node group has eight times the rate of one rank per node."""
    assert bandwidth(DGX, group(DGX, 64, 1)) == pytest.approx(8 * bandwidth(DGX, group(DGX, 8, 8)))


def test_gathers_grow_with_ranks_reductions_with_their_logarithm():
    """A ring's latency is linear in its ranks; an all-reduce may use a tree."""
    small, large = group(DGX, 64, 1), group(DGX, 1024, 1)
    assert gather_seconds(DGX, large, 1) / gather_seconds(DGX, small, 1) > 10
    assert reduce_seconds(DGX, large, 1) / reduce_seconds(DGX, small, 1) < 2


def test_neighbours_in_a_node_send_over_nvlink():
    """A stage on the same node is reached faster than one on the next."""
    assert send_seconds(DGX, 1, GIB) < send_seconds(DGX, 8, GIB) / 5


def test_roce_is_a_little_slower_than_infiniband():
    """The fabric alone costs up to 15% of bandwidth, not a factor."""
    roce = Hardware(gpu("A100"), 8, 25e9, "roce")
    ratio = gather_seconds(roce, group(roce, 1024, 1), GIB) / gather_seconds(DGX, group(DGX, 1024, 1), GIB)
    assert 1.0 < ratio < 1.4


def test_pcie_is_fast_inside_a_socket_and_shared_between_sockets():
    """Four devices of one socket; eight over both; four pairs that all cross at once get the least."""
    pcie = Hardware(gpu("A100-PCIE-80GB"), 8, 0.0, "none")
    socket, ring, pairs = (bandwidth(pcie, group(pcie, *ranks)) for ranks in ((4, 1), (8, 1), (2, 4)))
    assert socket > ring > pairs
    assert 4 * pairs > ring

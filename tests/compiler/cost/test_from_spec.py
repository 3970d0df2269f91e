"""Promises of how a spec becomes a question to the cost model."""

from __future__ import annotations

import pytest

from trainwright.compiler.cost.from_spec import cost_case, rate, software
from trainwright.compiler.cost.stack import profile
from trainwright.spec.cluster import Interconnect
from trainwright.spec.layout import Layout
from trainwright.spec.problem import InputError, MissedRuleError
from trainwright.tests.compiler.specs import loaded


def _spec(*sets):
    return loaded("llama2-7b", *sets).spec


def test_bandwidth_of_a_node_is_shared_by_its_devices():
    """800 Gbps a node of eight is 100 Gbps each; per device it is as given."""
    assert rate(Interconnect(kind="roce", bandwidth_per_node=100e9), 8) == 12.5e9
    assert rate(Interconnect(kind="roce", bandwidth_per_gpu=25e9), 8) == 25e9
    assert rate(Interconnect(kind="none"), 8) == 0


def test_the_profile_follows_the_spec():
    """Eager, compiled, or CPU; calibrated efficiency scales its matmul."""
    assert software(_spec("training.compile=false")).name == "deepspeed"
    assert software(_spec()).name == "deepspeed-compiled"
    assert software(loaded("tiny-cpu").spec).name == "cpu"
    assert software(_spec("cluster.efficiency=0.5")).matmul == pytest.approx(software(_spec()).matmul / 2)


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (("cluster.gpu=V100-SXM2-32GB", "cluster.power_cap=300W"), "bf16"),
        (("cluster.power_cap=50W",), "cannot be capped"),
    ],
)
def test_what_the_device_cannot_do_is_refused(sets, words):
    """No bf16 on a V100, no A100 below 100 W: an error, not another number."""
    with pytest.raises(MissedRuleError, match=words):
        cost_case(_spec(*sets), Layout(data=1024))


def test_several_nodes_need_a_bandwidth():
    """Four processes on nodes of two, and no network: an error, not infinity."""
    with pytest.raises(MissedRuleError, match="no bandwidth"):
        cost_case(loaded("tiny-cpu", "cluster.gpus=4").spec, Layout(data=4))


def test_an_unknown_profile_is_refused():
    """Profiles are those of the facts table."""
    with pytest.raises(InputError) as refused:
        profile("megatron-9000")
    assert "megatron-core" in refused.value.problems[0].remedy

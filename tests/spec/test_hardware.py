"""Promises of the device table."""

from __future__ import annotations

import pytest

from trainwright.spec.facts import facts
from trainwright.spec.gpu_description import GpuDescription
from trainwright.spec.hardware import gpu, gpu_names, gpus_called
from trainwright.spec.problem import InputError


def test_a100_is_what_its_datasheet_says():
    """312 TFLOP/s in bf16, 2,039 GB/s, 300 GB/s of NVLink each way, 100 to 400 W."""
    chip = gpu("A100-SXM4-80GB")
    assert (chip.peak("bf16"), chip.bandwidth, chip.link) == (312e12, 2039e9, 300e9)
    assert (chip.power.lowest, chip.power.default, chip.power.highest) == (100, 400, 400)


@pytest.mark.parametrize("name", gpu_names())
def test_every_row_is_sane(name):
    """Positive figures, ordered power, a ceiling below the peak, a source."""
    chip = gpu(name)
    assert min(chip.bandwidth, chip.pcie, chip.sms, *chip.flops.values()) > 0
    assert 0.4 < chip.kernel < 1
    assert chip.source
    if chip.power:
        assert 0 < chip.power.idle < chip.power.lowest <= chip.power.default <= chip.power.highest


def test_aliases_mean_the_same_device():
    """People write A100; the table holds one A100 of 80 GB."""
    assert gpu("A100") is gpu("A100-SXM4-80GB")


def test_unknown_device_names_the_nearest():
    """A typo gets the right spelling, never another device."""
    with pytest.raises(InputError) as refused:
        gpu("A100-SMX4-80GB")
    assert refused.value.problems[0].path == "cluster.gpu"
    assert "A100-SXM4-80GB" in refused.value.problems[0].remedy


def test_missing_arithmetic_is_none():
    """A V100 has no bf16, and no number is made up for it."""
    assert gpu("V100").peak("bf16") is None


def described(**values):
    """The description that a spec has after reading."""
    needed = {"name": "X1", "memory": "24 GiB", "peak": {"bf16": "71 TFLOPS"}, "bandwidth": "936 GB/s"}
    return GpuDescription.model_validate({**needed, **values}, context={"units": True})


def test_a_described_device_has_its_own_figures_and_a_label():
    """Given figures are taken as they are, the rest as the facts say, and the name tells whose they are."""
    chip, assumed = gpu(described(link="300 GB/s", best_matmul="80%", family="hopper")), facts("gpus")["described"]
    assert (chip.memory_bytes, dict(chip.flops), chip.bandwidth) == (24 * 2**30, {"bf16": 71e12}, 936e9)
    assert (chip.link, chip.kernel, chip.family, chip.power) == (300e9, 0.8, "hopper", None)
    assert (chip.sms, chip.pcie) == (assumed["sms"], assumed["pcie_gb_s"] * 1e9)
    assert chip.name == "X1 (user-described)"


def test_what_a_description_says_of_its_defaults_is_what_the_facts_hold():
    """The reference names the assumed figures; they stand in the facts."""
    assumed = facts("gpus")["described"]
    fields = {name: field.description for name, field in GpuDescription.model_fields.items()}
    assert f"{assumed['sms']} are assumed" in fields["multiprocessors"]
    assert f"{assumed['kernel']:.0%} is assumed" in fields["best_matmul"]
    assert f"{assumed['pcie_gb_s']} GB/s, is assumed" in fields["pcie"]
    assert GpuDescription.model_fields["family"].default == assumed["family"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("A100", {"A100-SXM4-80GB", "A100-SXM4-40GB", "A100-PCIE-80GB", "A100-PCIE-40GB"}),
        ("a100-sxm", {"A100-SXM4-80GB", "A100-SXM4-40GB"}),
        ("A100 80GB", {"A100-SXM4-80GB", "A100-PCIE-80GB"}),
        ("A100-SXM4-80GB", {"A100-SXM4-80GB"}),
        ("L40S", {"L40S-48GB"}),
        ("A1", set()),
        ("", set()),
    ],
)
def test_a_name_means_every_device_that_it_fits(name, meant):
    """A short name is never one device in silence where it fits several."""
    assert set(gpus_called(name)) == meant

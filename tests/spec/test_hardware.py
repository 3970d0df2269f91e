"""Promises of the device table."""

from __future__ import annotations

import pytest

from trainwright.spec.hardware import gpu, gpu_names
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
    assert "A100-SXM4-80GB" in refused.value.problems[0].help


def test_missing_arithmetic_is_none():
    """A V100 has no bf16, and no number is made up for it."""
    assert gpu("V100").peak("bf16") is None

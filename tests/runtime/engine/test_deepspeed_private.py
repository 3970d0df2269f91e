"""DeepSpeed's private side: each name with its reason and a test, and there in the installed version."""

import inspect
import re
from pathlib import Path

import deepspeed
import deepspeed.ops
import pytest
import torch
from deepspeed.module_inject import layers
from deepspeed.runtime.engine import DeepSpeedEngine
from deepspeed.runtime.zero.stage_1_and_2 import DeepSpeedZeroOptimizer
from deepspeed.utils import groups

from trainwright.runtime.engine import deepspeed_private

ROOT = Path(__file__).parents[3]
FUNCTIONS = [
    function
    for function in vars(deepspeed_private).values()
    if inspect.isfunction(function) and function.__module__ == deepspeed_private.__name__ and function.__doc__
]
NAMES = [
    (deepspeed.ops, "__compatible_ops__"),
    (DeepSpeedEngine, "_do_optimizer_sanity_check"),
    (DeepSpeedEngine, "_copy_recovery_script"),
    (DeepSpeedEngine, "self._config = "),
    (DeepSpeedEngine, "ds_autotp_parsed"),
    (DeepSpeedZeroOptimizer, "averaged_gradients"),
    (DeepSpeedZeroOptimizer, "independent_gradient_partition_epilogue"),
    (layers, "_partition_sizes"),
    (groups, "_get_data_parallel_group"),
    (groups, "_init_tp_mesh_device"),
    (groups, "_TENSOR_MODEL_PARALLEL_GROUP"),
    (groups, "_DATA_PARALLEL_GROUP"),
    (groups, "_MODEL_PARALLEL_GROUP"),
]


@pytest.mark.parametrize(("owner", "name"), NAMES, ids=[name for _, name in NAMES])
def test_the_name_is_in_the_installed_deepspeed(owner, name):
    """A version that renames one must not silently do what we prevented."""
    assert name in inspect.getsource(owner)


@pytest.mark.parametrize("function", FUNCTIONS, ids=[function.__name__ for function in FUNCTIONS])
def test_each_names_a_test_that_exists(function):
    """The docstring ends with the file that goes red without the function."""
    named = re.search(r"Test: (\S+\.py)\.", inspect.getdoc(function) or "")
    assert named
    assert (ROOT / named[1]).is_file()


def test_no_operator_is_ever_built():
    """DeepSpeed asks its table of operators, and finds none."""
    deepspeed_private.never_build_operators(torch.device("cpu"))
    assert vars(deepspeed.ops)["__compatible_ops__"] == {}

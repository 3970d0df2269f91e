"""Every parallel layout trains the same model: losses, gradient norms and weights equal those of one rank."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from trainwright.spec.layout import Layout

STEPS = 4
TOKENS = (4 * STEPS - 1) * 32  # the last step has three sequences, which divide over no layout
# Largest relative difference of losses and norms, and root mean square difference of weights (which move by about
# 7e-3). fp32 differs by the order of sums; bf16 keeps 8 bits, so a gradient moves in its third digit.
FP32 = {"loss": 1e-6, "norm": 1e-5, "weights": 1e-6}
BF16 = {"loss": 2e-4, "norm": 5e-3, "weights": 3e-4}


def sharded(**options):
    """A layout of the common batch of 4 sequences."""
    layout = Layout(**options)
    return layout.model_copy(update={"accumulation": 4 // layout.data // layout.micro_batch})


DATA = [
    *(sharded(data=2, zero=stage) for stage in (1, 2, 3)),
    *(sharded(data=2, zero=stage, micro_batch=2) for stage in (1, 3)),
    *(sharded(data=2, zero=stage, activation_checkpointing="full") for stage in (1, 2, 3)),
    *(sharded(data=2, zero=stage, activation_checkpointing="selective") for stage in (2, 3)),
    *(sharded(data=2, zero=stage, offload="optimizer") for stage in (1, 2, 3)),
    *(sharded(sequence=2, zero=stage) for stage in (1, 2, 3)),
    sharded(sequence=2, zero=3, activation_checkpointing="full"),
    sharded(sequence=2, zero=2, offload="optimizer"),
]
TENSOR = [
    *(sharded(tensor=2, zero=stage) for stage in (1, 2, 3)),
    sharded(tensor=2, zero=1, activation_checkpointing="full"),
    sharded(tensor=2, zero=2, activation_checkpointing="selective"),
    sharded(tensor=2, zero=1, offload="optimizer"),
]
PIPELINE = [
    sharded(pipeline=2, zero=1),
    sharded(pipeline=2, zero=1, micro_batch=2, activation_checkpointing="full"),
    sharded(pipeline=2, zero=1, micro_batch=4, activation_checkpointing="selective", offload="optimizer"),
]


@pytest.fixture(scope="module")
def results(workplace, tiny_plan, forked):
    """A function: layouts of equally many ranks and a precision -> what each trained, also with several `models`."""

    def train(layouts, precision="fp32", models=({},), **changes):
        changes |= {"training__precision": precision, "data__tokens": TOKENS}
        plans = [tiny_plan(layout, steps=STEPS, **changes | model) for model in models for layout in layouts]
        folder = workplace(plans[0]).bundle.parent
        (folder / "plans.json").write_text(json.dumps([plan.model_dump(mode="json") for plan in plans]))
        start = forked([str(folder)], {"OMP_NUM_THREADS": "1"}, layouts[0].gpus, folder / "output", "layout_worker.py")
        start.wait(280)
        assert not any(process.exitcode for process in start.processes), (folder / "output").read_text()
        return [torch.load(folder / f"{number}.pt") for number in range(len(plans))]

    return train


@pytest.fixture(scope="module")
def alone(results):
    """One rank: the truth."""
    return {precision: results([sharded(zero=1)], precision)[0] for precision in ("fp32", "bf16")}


FOUR = [
    *(sharded(data=4, zero=stage) for stage in (1, 2, 3)),
    sharded(data=4, zero=3, shard_group=2),
    *(sharded(data=2, sequence=2, zero=stage) for stage in (1, 3)),
    sharded(sequence=4, zero=1),
]
FOUR_PIPELINE = [
    sharded(data=2, pipeline=2, zero=1),
    sharded(sequence=2, pipeline=2, zero=1, activation_checkpointing="full"),
    sharded(tensor=2, pipeline=2, zero=1),
    sharded(tensor=2, pipeline=2, zero=1, micro_batch=2, activation_checkpointing="selective", offload="optimizer"),
]
FOUR_GROUPS = [sharded(data=2, sequence=2, zero=3, shard_group=2)]  # DeepSpeed makes such groups once a process
FOUR_TENSOR = [
    *(sharded(data=2, tensor=2, zero=stage) for stage in (1, 2, 3)),
    *(sharded(sequence=2, tensor=2, zero=stage) for stage in (1, 2, 3)),
    sharded(sequence=2, tensor=2, zero=2, micro_batch=2, activation_checkpointing="full", offload="optimizer"),
]


@pytest.mark.parametrize("layouts", [DATA, TENSOR, PIPELINE], ids=["data and sequence", "tensor", "pipeline"])
def test_two_ranks_equal_one_in_fp32(alone, results, layouts):
    """In fp32 two ranks agree with one up to rounding, in every layout."""
    check(layouts, results(layouts), alone["fp32"], FP32)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler on a CPU")
@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(sharded(data=2, zero=1), id="data", marks=pytest.mark.slow),
        pytest.param(sharded(data=2, zero=3, activation_checkpointing="full"), id="ZeRO-3", marks=pytest.mark.slow),
        pytest.param(
            sharded(sequence=2, zero=2, activation_checkpointing="selective"), id="sequence", marks=pytest.mark.slow
        ),
        pytest.param(sharded(tensor=2, zero=1), id="tensor"),
        pytest.param(sharded(pipeline=2, zero=1), id="pipeline"),
    ],
)
def test_compiled_equals_eager(alone, results, layout):
    """With torch.compile two ranks agree with one that was not compiled, up to rounding."""
    check([layout], results([layout], training__compile=True), alone["fp32"], FP32)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layouts",
    [FOUR, FOUR_GROUPS, FOUR_TENSOR, FOUR_PIPELINE],
    ids=["data and sequence", "groups", "tensor", "pipeline"],
)
def test_four_ranks_equal_one_in_fp32(alone, results, layouts):
    """Combined layouts of four ranks agree with one up to rounding."""
    check(layouts, results(layouts), alone["fp32"], FP32)


@pytest.mark.slow
@pytest.mark.parametrize(
    "layouts",
    [DATA, TENSOR, PIPELINE, FOUR, FOUR_TENSOR, FOUR_PIPELINE],
    ids=["data", "tensor", "pipeline", "four", "four tensor", "four pipeline"],
)
def test_bf16_stays_within_its_tolerance(alone, results, layouts):
    """In bf16 every layout stays as close to one rank as eight bits allow."""
    check(layouts, results(layouts, "bf16"), alone["bf16"], BF16)


def test_a_tied_and_uneven_vocabulary_is_shared_rightly(results):
    """Embedding and head are one parameter, cut over a vocabulary that two ranks cannot share evenly."""
    odd = {"model__vocab_size": 131, "model__tied_embeddings": True}
    (truth,) = results([sharded(zero=1)], **odd)
    layouts = [sharded(tensor=2, zero=stage) for stage in (1, 3)]
    check(layouts, results(layouts, **odd), truth, FP32)


# Two models that have between them everything that the Llama 2 architecture does not have.
MODELS = (
    {
        "model__head_size": 24,
        "model__qk_norm": "head",
        "model__qkv_biases": True,
        "model__no_rope_every": 2,
        "model__logit_softcap": 2.0,
        "training__z_loss": 1e-2,
    },
    {
        "model__qk_norm": "full",
        "model__norm_after": True,
        "model__sliding_window": 6,
        "model__tied_embeddings": True,
        "model__full_attention_every": 2,
        "model__rope_scaling": {"kind": "yarn", "factor": 4.0, "original_context": 16},
    },
)


@pytest.fixture(scope="module")
def modern(results):
    """Both models on one rank."""
    return results([sharded(zero=1)], models=MODELS)


@pytest.mark.parametrize(
    "layouts",
    [
        [*(sharded(data=2, zero=stage) for stage in (1, 2, 3)), sharded(sequence=2, zero=1)],
        [*(sharded(tensor=2, zero=stage, activation_checkpointing="selective") for stage in (1, 3))],
        [sharded(pipeline=2, zero=1)],
        pytest.param([sharded(tensor=2, pipeline=2, zero=1)], marks=pytest.mark.slow),
        pytest.param([sharded(data=2, pipeline=2, zero=1)], marks=pytest.mark.slow),
        pytest.param([sharded(sequence=2, pipeline=2, zero=1)], marks=pytest.mark.slow),
    ],
    ids=["data and sequence", "tensor", "pipeline", "tensor, pipeline", "data, pipeline", "sequence, pipeline"],
)
def test_what_later_models_changed_equals_one_rank(modern, results, layouts):
    """Each model gives the losses, norms and weights of one rank in every kind of layout."""
    found = results(layouts, models=MODELS)
    for number, truth in enumerate(modern):
        check(layouts, found[number * len(layouts) : (number + 1) * len(layouts)], truth, FP32)


@pytest.mark.parametrize(
    "layouts",
    [
        [*(sharded(data=2, zero=stage) for stage in (1, 2, 3)), sharded(data=2, zero=2, offload="optimizer")],
        [sharded(pipeline=2, zero=1)],
        [sharded(tensor=2, zero=1)],
    ],
    ids=["data", "pipeline", "tensor"],
)
def test_a_batch_that_warms_up_equals_one_rank(results, layouts):
    """Two steps of two sequences, one of three rounds too many for them, then full ones: each sample counts once."""
    growing = {"schedule__batch_warmup": ({"sequences": 2, "until": 3},)}
    (truth,) = results([sharded(zero=1)], **growing)
    assert len(truth["loss"]) == 5  # of 2, 2, 4, 4 and the last 3 sequences
    check(layouts, results(layouts, **growing), truth, FP32)


def test_stages_of_unequal_length_equal_one_rank(results):
    """Five layers on two stages, of which the one with the head has fewer."""
    (truth,) = results([sharded(zero=1)], model__layers=5)
    layouts = [sharded(pipeline=2, zero=1, uneven_stages=True, activation_checkpointing="full")]
    check(layouts, results(layouts, model__layers=5), truth, FP32)


@pytest.mark.slow
def test_four_stages_equal_one_rank(results):
    """As many micro-batches as stages, and fewer; documents that see only themselves."""
    deep = {"model__layers": 4, "data__document_attention": "within"}
    (truth,) = results([sharded(zero=1)], **deep)
    layouts = [sharded(pipeline=4, zero=1), sharded(pipeline=4, zero=1, micro_batch=2)]
    check(layouts, results(layouts, **deep), truth, FP32)


@pytest.mark.slow
def test_four_tensor_ranks_equal_one(results):
    """A head each, and a vocabulary that four cannot share evenly."""
    wide = {"model__kv_heads": 4, "model__vocab_size": 131}
    (truth,) = results([sharded(zero=1)], **wide)
    layouts = [sharded(tensor=4, zero=1), sharded(tensor=4, zero=3, activation_checkpointing="full")]
    check(layouts, results(layouts, **wide), truth, FP32)


@pytest.mark.parametrize("layouts", [[sharded(sequence=2, zero=1)], [sharded(tensor=2, zero=2)]], ids=["seq", "tensor"])
def test_attention_within_documents_is_shared_rightly(results, layouts):
    """Documents packed into one sequence see only themselves, however sequence or heads are shared."""
    within = {"data__document_attention": "within"}
    (truth,) = results([sharded(zero=1)], **within)
    check(layouts, results(layouts, **within), truth, FP32)


def check(layouts, results, truth, tolerance):
    """Every layout's outcome against the truth; all deviations are reported together."""
    wrong = []
    for layout, result in zip(layouts, results, strict=True):
        assert result["weights"].keys() == truth["weights"].keys()
        found = {
            key: max(abs(a / b - 1) for a, b in zip(result[key], truth[key], strict=True)) for key in ("loss", "norm")
        }
        apart = torch.cat([(result["weights"][name] - w).flatten() for name, w in truth["weights"].items()])
        found["weights"] = float(apart.square().mean().sqrt())
        if any(not found[key] <= tolerance[key] for key in tolerance):
            wrong.append(f"{layout}: {found}")
    assert not wrong, "\n".join(wrong)

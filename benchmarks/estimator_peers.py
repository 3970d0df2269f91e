"""The same published A100 runs predicted by Trainwright, Calculon and llm-analysis, and how long each answer takes.

Rows: GPT models on A100 under Megatron, which all three can express: those carried from the start, those that were
added after the last constant was fitted ("later"), and vTrain's multi-node file.
The peers get their own default efficiencies (Calculon: systems/a100_80g.json, network set to the row's; llm-analysis:
the FLOPs efficiency of about 0.5 that its own constants name), as a user without measurements would run them. Their
code is read from local checkouts and is not part of this project:

    git clone https://github.com/calculon-ai/calculon && git clone https://github.com/cli99/llm-analysis
    pip install fire && python benchmarks/estimator_peers.py --calculon calculon --llm-analysis llm-analysis
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainwright.compiler.backtest.published_run import UnusableRow
from trainwright.compiler.backtest.read_runs import read_runs, read_text
from trainwright.compiler.backtest.run_case import case
from trainwright.compiler.backtest.vtrain_csv import measured, numbers
from trainwright.compiler.cost.case import StepCase
from trainwright.compiler.cost.step import step

DATA = Path(__file__).parents[1] / "tests" / "data" / "published_runs"
DEFAULT_EFFICIENCY = 0.5
GIGA = 1e9


FILES = {"papers": ("published_runs.yaml",), "later": ("new_sources.yaml", "more_rows.yaml")}


def runs() -> list[tuple[str, str, StepCase, float]]:
    """Kind, name, description and measured seconds of the rows that every tool can express."""
    found = [(kind, *run) for kind, files in FILES.items() for name in files for run in _published(DATA / name)]
    text = (DATA / "vtrain_multi.csv").read_text(encoding="utf-8")
    lines = [(i, values) for i, line in enumerate(text.splitlines()) if (values := numbers(line))]
    return found + [("vtrain", run.id, run.case, run.seconds) for run in measured(lines)]


def _published(path: Path) -> list[tuple[str, StepCase, float]]:
    found: list[tuple[str, StepCase, float]] = []
    for row in read_runs(path, read_text(path)):
        speed = row.calc_tokens_per_s_per_gpu
        megatron = "A100" in (row.gpu or "") and "Megatron" in (row.framework or "")
        if row.kind != "benchmark" or not speed or not megatron or row.mlp_gated:
            continue
        with contextlib.suppress(UnusableRow):
            asked = case(row)
            if asked.layout.zero < 3:
                found.append((row.id, asked, asked.workload.tokens / asked.layout.gpus / speed))
    return found


def calculon(folder: Path) -> Callable[[StepCase], float]:
    """Calculon's batch time."""
    sys.path.insert(0, str(folder))
    from calculon import System
    from calculon.llm import Llm

    system = json.loads((folder / "systems" / "a100_80g.json").read_text())

    def predict(asked: StepCase) -> float:
        shape, layout = asked.workload.shape, asked.layout
        system["networks"][1]["bandwidth"] = asked.hardware.net / GIGA
        application = {
            "name": "row", "hidden": shape.hidden_size, "feedforward": shape.ffn_size,
            "seq_size": asked.workload.sequence,
            "attn_heads": shape.heads, "attn_size": shape.head_size, "num_blocks": shape.layers,
        }  # fmt: skip
        execution = {
            "num_procs": layout.gpus, "tensor_par": layout.tensor, "pipeline_par": layout.pipeline,
            "data_par": layout.data, "tensor_par_net": 0 if layout.tensor <= asked.hardware.per_node else 1,
            "pipeline_par_net": 1, "data_par_net": 1, "batch_size": layout.global_batch,
            "microbatch_size": layout.micro_batch, "datatype": "float16", "fused_activation": True,
            "attention_type": "multihead",
            "activation_recompute": {"full": "full", "none": "none"}.get(layout.activation_checkpointing, "attn_only"),
            "pipeline_interleaving": layout.interleave, "optimizer_sharding": layout.zero > 0 and layout.data > 1,
            "tensor_par_comm_type": "rs_ag" if layout.megatron_sequence else "ar", "tensor_par_overlap": "none",
            "seq_par_ag_redo": False, "data_par_overlap": False, "weight_offload": False,
            "activations_offload": False, "optimizer_offload": False, "training": True,
        }  # fmt: skip
        model = Llm(Llm.Application(application), logging.getLogger("calculon"))
        model.compile(System(json.loads(json.dumps(system))), Llm.Execution.from_json(execution))
        model.run(System(json.loads(json.dumps(system))))
        return model.get_total_time()

    return predict


def llm_analysis(folder: Path) -> Callable[[StepCase], float]:
    """llm-analysis' latency per iteration."""
    sys.path.insert(0, str(folder))
    logging.disable(logging.CRITICAL)
    from llm_analysis.analysis import ActivationRecomputation, LLMAnalysis
    from llm_analysis.config import ModelConfig, ParallelismConfig, get_dtype_config_by_name, get_gpu_config_by_name

    def predict(asked: StepCase) -> float:
        shape, layout = asked.workload.shape, asked.layout
        model = ModelConfig(
            name="row", num_layers=shape.layers, n_head=shape.heads, hidden_dim=shape.hidden_size,
            vocab_size=shape.vocab_size, max_seq_len=asked.workload.sequence,
        )  # fmt: skip
        chip = get_gpu_config_by_name("a100-sxm-80gb")
        chip.inter_node_bandwidth_in_GB_per_sec = asked.hardware.net * asked.hardware.per_node / GIGA
        analysis = LLMAnalysis(
            model, chip, get_dtype_config_by_name("w16a16e16"),
            ParallelismConfig(tp_size=layout.tensor, pp_size=layout.pipeline, dp_size=layout.data),
            flops_efficiency=DEFAULT_EFFICIENCY,
        )  # fmt: skip
        kinds = {"none": 0, "selective": 1, "full": 4}
        summary: dict[str, Any] = analysis.training(
            batch_size_per_gpu=layout.micro_batch, gradient_accumulation_steps=layout.accumulation,
            seq_len=asked.workload.sequence,
            activation_recomputation=ActivationRecomputation(kinds[layout.activation_checkpointing]),
            flash_attn=False,
        )  # fmt: skip
        return summary["latency_per_iter"]

    return predict


def scored(name: str, predict: Callable[[StepCase], float], rows: list[tuple[str, str, StepCase, float]]) -> None:
    """Print one tool's errors and seconds per answer; a row that it refuses is counted."""
    errors: dict[str, list[float]] = {kind: [] for kind in (*FILES, "vtrain")}
    refused, spent = 0, time.process_time()
    for kind, row, asked, seconds in rows:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                errors[kind].append(predict(asked) / seconds - 1)
        except Exception as error:  # noqa: BLE001 - peers refuse with many kinds of errors
            refused += 1
            print(f"  {name} refuses {row}: {type(error).__name__} {str(error)[:80]}", file=sys.stderr)
    each = (time.process_time() - spent) / len(rows)
    for kind, found in errors.items():
        size = sorted(map(abs, found))
        print(
            f"{name:14} {kind:7} n {len(found):3} refused {refused:2}  median {statistics.median(size):6.1%}  "
            f"mean {statistics.fmean(size):6.1%}  p90 {size[int(0.9 * len(size))]:6.1%}  "
            f"bias {statistics.fmean(found):+6.1%}  {each * 1000:.2f} ms a row"
        )


def main() -> None:
    """Score all three."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calculon", type=Path)
    parser.add_argument("--llm-analysis", type=Path)
    arguments = parser.parse_args()
    rows = runs()
    scored("trainwright", lambda asked: step(asked).seconds, rows)
    if arguments.calculon:
        scored("calculon", calculon(arguments.calculon), rows)
    if arguments.llm_analysis:
        scored("llm-analysis", llm_analysis(arguments.llm_analysis), rows)


if __name__ == "__main__":
    main()

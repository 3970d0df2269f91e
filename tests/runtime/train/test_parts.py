"""The small parts of the loop, each without a process group: schedule, guard, log, changed settings, exit codes."""

from __future__ import annotations

import errno
import json
import os
import time

import pytest
import torch

from trainwright.runtime.checkpoint import settings_diff
from trainwright.runtime.engine.optimizer import adamw, apply_hyperparameters
from trainwright.runtime.launch import exit_status
from trainwright.runtime.launch.known_faults import known_fault
from trainwright.runtime.logs.event_log import EventLog, last_attempt
from trainwright.runtime.train.anomaly_detection import MIN_LOSSES, fingerprint, is_spike
from trainwright.spec.events import FaultEvent, StartEvent, StepEvent, from_json, read_events
from trainwright.spec.exit_codes import FINAL, Exit
from trainwright.spec.problem import InputError
from trainwright.spec.sections import Optimizer


def test_only_matrices_decay_and_the_plan_wins_over_restored_values():
    """Norms do not decay; hyperparameters that a checkpoint brought along are replaced at the next step."""
    model = torch.nn.Sequential(torch.nn.Linear(4, 4, bias=False), torch.nn.RMSNorm(4))
    optimizer = adamw(model, Optimizer(learning_rate=1.0, weight_decay=0.1))
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
    apply_hyperparameters(optimizer, Optimizer(learning_rate=1.0, weight_decay=0.2, beta2=0.99, eps=1e-8), 0.5)
    first, second = optimizer.param_groups
    assert (first["lr"], first["betas"], first["eps"], first["weight_decay"]) == (0.5, (0.9, 0.99), 1e-8, 0.2)
    assert (second["lr"], second["weight_decay"]) == (0.5, 0.0)


def test_a_spike_is_measured_against_the_median():
    """Nothing is a spike before there is a history; one outlier in it does not hide the next."""
    assert not is_spike(99.0, [3.0] * (MIN_LOSSES - 1), 1.0)
    assert is_spike(4.1, [3.0] * MIN_LOSSES + [50.0], 1.0)
    assert not is_spike(3.9, [3.0] * MIN_LOSSES, 1.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_fingerprint_sees_every_single_bit(dtype):
    """Each of the bits of each weight changes the sum."""
    weights = torch.linspace(-1, 1, 64).to(dtype)
    integers = weights.view(torch.int32 if dtype is torch.float32 else torch.int16)
    before = fingerprint(weights)
    for place in range(64):
        for bit in range(8 * weights.element_size()):
            mask = torch.tensor(1 << bit, dtype=torch.int64).to(integers.dtype)
            integers[place] ^= mask
            assert fingerprint(weights) != before, (place, bit)
            integers[place] ^= mask


def test_a_log_cut_anywhere_loses_only_its_last_event(tmp_path):
    """Cut at every byte of the last events and written on: what was whole is read, and what follows as well."""
    path = tmp_path / "events.jsonl"
    log = EventLog(path, 1)
    log.write(StartEvent(step=0))
    for step in range(3):
        log.write(StepEvent(step=step, loss=float("nan")))
    log.close()
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        complete = [from_json(json.loads(line)) for line in whole[:cut].split(b"\n")[:-1]]
        log = EventLog(path, 2)
        log.write(StartEvent(step=9))
        log.close()
        events = list(read_events(path))
        assert events[: len(complete)] == complete
        assert events[-1].step == 9
        assert len(events) - len(complete) in {1, 2}  # a line that lacks only its end is read as well
    assert last_attempt(path) == 2
    assert complete[-1].loss is None


@pytest.mark.parametrize("jump", [400 * 86400.0, -400 * 86400.0, 30.0])
def test_a_clock_that_is_set_moves_no_event(tmp_path, monkeypatch, jump):
    """The times of a log grow by what passed, whatever the clock says; a clock that was set is reported once."""
    log = EventLog(tmp_path / "events.jsonl", 1)
    real = time.time
    before = log.write(StepEvent(step=1)).time
    monkeypatch.setattr("time.time", lambda: real() + jump)
    after = [log.write(StepEvent(step=step)).time for step in (2, 3)]
    log.close()
    assert before <= after[0] <= after[1] < before + 5
    said = [event.what for event in read_events(tmp_path / "events.jsonl") if isinstance(event, FaultEvent)]
    assert said == ([] if jump == 30.0 else [f"the clock was set by {jump:+.0f} s"])


@pytest.mark.parametrize("plant", [lambda path: path.symlink_to("elsewhere"), os.mkfifo])
def test_the_log_is_no_link_and_no_pipe(tmp_path, plant):
    """What somebody planted in the place of the log is not written through, and blocks nothing."""
    plant(tmp_path / "events.jsonl")
    with pytest.raises(OSError, match=r"symbolic|regular"):
        EventLog(tmp_path / "events.jsonl", 1)
    assert not (tmp_path / "elsewhere").exists()


def test_changed_settings_are_named_and_sorted(tiny_plan):
    """Each difference has its key and both values; what defines the run is refused under either policy."""
    old = settings_diff.checkpoint_settings(tiny_plan(), {"torch": "1"})
    new = settings_diff.checkpoint_settings(
        tiny_plan(training__optimizer__learning_rate=0.5, data__seed=7, carbon__pue=1.5, training__on_change="apply"),
        {"torch": "2"},
    )
    found = settings_diff.diff_settings(old, new)
    assert [c.key for c in found] == [
        "carbon.pue",
        "data.seed",
        "training.on_change",
        "training.optimizer.learning_rate",
        "version of torch",
    ]
    with pytest.raises(InputError) as refused:
        settings_diff.accept_changes(found, "refuse")
    assert [p.path for p in refused.value.problems] == [
        "data.seed",
        "training.optimizer.learning_rate",
        "version of torch",
    ]
    with pytest.raises(InputError) as refused:
        settings_diff.accept_changes(found, "apply")
    assert [p.message for p in refused.value.problems] == ["data.seed: 0 in the checkpoint, 7 now"]


def test_failures_have_their_codes():
    """A full disk, bad input, a lost peer and a fault of ours are told apart."""
    assert exit_status.code_of(OSError(errno.ENOSPC, "full")) is Exit.STORAGE
    assert exit_status.code_of(InputError.one("TW1", "wrong")) is Exit.INPUT
    assert exit_status.code_of(RuntimeError("[gloo/transport/tcp/pair.cc] Connection closed by peer")) is Exit.PEER_LOST
    assert exit_status.code_of(RuntimeError("shape mismatch")) is Exit.FAULT


@pytest.mark.parametrize(
    ("message", "code", "advice"),
    [
        (
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB",
            Exit.MEMORY,
            "micro_batch",
        ),
        (
            "NCCL Error 1: unhandled cuda error, NCCL version 2.27.7\nCuda failure 2 'out of memory'",
            Exit.MEMORY,
            "zero: 3",
        ),
        ("CUDA error: uncorrectable ECC error encountered", Exit.DEVICE, "drain"),
        ("CUDA error: unspecified launch failure", Exit.DEVICE, "Xid"),
        ("Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.", Exit.DEVICE, "does not answer"),
        ("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`", Exit.DEVICE, "matrix product"),
        ("CUDA error: Invalid access of peer GPU memory over nvlink or a hardware error", Exit.DEVICE, "nvlink"),
        ("NCCL communicator was aborted on rank 3", Exit.PEER_LOST, "network"),
    ],
)
def test_device_faults_have_codes_and_advice_by_kind(message, code, advice):
    """A broken GPU is started again, without memory it is not, and each says what to do."""
    fault = known_fault(RuntimeError(message))
    assert (exit_status.code_of(RuntimeError(message)), fault.code) == (code, code)
    assert advice in fault.advice
    assert (code in FINAL) is (code is Exit.MEMORY)


def test_too_many_open_files_are_no_full_disk():
    """The limit of the machine is named."""
    error = OSError(errno.EMFILE, "Too many open files")
    assert exit_status.code_of(error) is Exit.FAULT
    assert "ulimit -n" in known_fault(error).advice


def test_a_cause_outlives_its_echo(tmp_path):
    """PEER_LOST, which the other ranks see, never hides why the first one left."""
    for first, second, expected in [
        (Exit.STORAGE, Exit.PEER_LOST, Exit.STORAGE),
        (Exit.PEER_LOST, Exit.STORAGE, Exit.STORAGE),
        (Exit.DIVERGED, Exit.FAULT, Exit.DIVERGED),
    ]:
        exit_status.exit_file(tmp_path).unlink(missing_ok=True)
        exit_status.record_exit_code(tmp_path, first)
        exit_status.record_exit_code(tmp_path, second)
        assert int(exit_status.exit_file(tmp_path).read_text()) == expected

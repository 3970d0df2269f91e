"""Applying, reading back and giving back the cap, on sites that allow it, refuse it, ignore it or change it."""

from __future__ import annotations

import os

import pynvml
import pytest

from trainwright.runtime.energy.cap import CapWatch, EnforcedCap, combine_caps, node_gpus, observe_cap
from trainwright.runtime.power_cap.__main__ import describe_applied, describe_restored, main
from trainwright.runtime.power_cap.gpu_limits import apply, read, restore
from trainwright.runtime.power_cap.guard import identity
from trainwright.runtime.power_cap.record import load
from trainwright.tests.fakes.nvml.fake import Function

ME = identity(os.getpid())


def enforced(site):
    """What the GPUs enforce, in watts."""
    return [site.device(i).enforced_mw / 1000 for i in range(2)]


def test_apply_and_restore(site, device_plan, no_guard, tmp_path):
    """The cap is set on every GPU with a guard behind it, read back, recorded, and given back."""
    plan = device_plan(cap=350, mode="sudo")
    record = apply(plan, tmp_path, ME)
    assert enforced(site) == [350, 350]
    assert (record.applied, record.held, no_guard) == (True, True, [ME])
    assert [(g.before_watts, g.enforced_watts, g.problem) for g in record.gpus] == [(400, 350, None)] * 2
    assert load(tmp_path) == record
    assert observe_cap(plan) == EnforcedCap(350, 350, applied=True)
    assert describe_applied(record).startswith("asked for 350 W, enforced 350 W on ")
    after = restore(tmp_path)
    assert enforced(site) == [400, 400]
    assert load(tmp_path) == record.model_copy(update={"held": False})
    assert describe_restored(after).startswith("restored")
    assert restore(tmp_path) is None


def test_only_nvidia_smi_runs_as_root(site, device_plan, no_guard, tmp_path):
    """Root runs exactly `nvidia-smi -i UUID -pl WATTS`, once a GPU."""
    apply(device_plan(cap=312.5, mode="sudo"), tmp_path, ME)
    log = (tmp_path / "sudo.log").read_text().splitlines()
    assert log == [f"-n nvidia-smi -i GPU-0000000{i}-fake -pl 312.5" for i in range(2)]


def test_refused_by_sudo(site, device_plan, no_guard, tmp_path, monkeypatch):
    """Without a password-free sudo the cap is reported as not in force, with the reason."""
    monkeypatch.setenv("FAKE_SUDO", "refuse")
    record = apply(device_plan(cap=350, mode="sudo"), tmp_path, ME)
    assert enforced(site) == [400, 400]
    assert record.applied is False
    assert "NOT IN FORCE" in describe_applied(record)
    assert "a password is required" in describe_applied(record)


@pytest.mark.usefixtures("no_guard")
@pytest.mark.parametrize(
    ("cap", "code", "message"),
    [(350, pynvml.NVML_ERROR_NO_PERMISSION, "not permitted"), (90, 0, "not a valid power limit")],
)
def test_refused_by_the_driver(site, device_plan, tmp_path, *, cap, code, message):
    """A limit that the driver refuses is reported as not in force, in nvidia-smi's words."""
    site.fail(Function.SET_LIMIT, code=code)
    record = apply(device_plan(cap=cap, mode="sudo"), tmp_path, ME)
    assert site.fired(Function.SET_LIMIT) == 2
    assert record.applied is False
    assert message in record.gpus[0].problem


def test_ignored(site, device_plan, no_guard, tmp_path):
    """A limit that is accepted but not enforced, on one GPU of two, is not in force."""
    site.device(1).ignores_limit = 1
    record = apply(device_plan(cap=350, mode="sudo"), tmp_path, ME)
    assert [g.enforced_watts for g in record.gpus] == [350, 400]
    assert record.applied is False


def test_no_tool(site, device_plan, no_guard, tmp_path, monkeypatch):
    """Without sudo on the path the cap is reported as not in force."""
    monkeypatch.setenv("PATH", str(tmp_path))
    record = apply(device_plan(cap=350, mode="sudo"), tmp_path, ME)
    assert record.applied is False
    assert "No such file" in record.gpus[0].problem


@pytest.mark.parametrize("mode", ["site-flag", "prolog-file", "daemonset", "assume-set"])
@pytest.mark.parametrize("limit", [350, 400])
def test_other_modes_only_look(site, device_plan, tmp_path, mode, limit):
    """Where the site sets the cap we change nothing and tell what is enforced."""
    for i in range(2):
        site.device(i).limit_mw = site.device(i).enforced_mw = limit * 1000
    record = apply(device_plan(cap=350, mode=mode), tmp_path, ME)
    assert site.state.fault[Function.SET_LIMIT].calls == 0
    assert (record.applied, record.held) == (limit == 350, False)
    assert restore(tmp_path) is None


def test_unreadable_is_unknown(site, device_plan, tmp_path):
    """Where the enforced limit cannot be read, the cap is neither in force nor not."""
    site.fail(Function.ENFORCED, code=pynvml.NVML_ERROR_NOT_SUPPORTED)
    record = apply(device_plan(cap=350), tmp_path, ME)
    assert site.fired(Function.ENFORCED) == 2
    assert record.applied is None
    assert describe_applied(record).startswith("UNKNOWN: asked for 350 W, enforced unknown")
    assert observe_cap(device_plan(cap=350)) == EnforcedCap(350, None, applied=None)


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_no_driver_is_unknown(site, device_plan, tmp_path, kind):
    """On CPU, or without a driver, `sudo` sets nothing and the cap is unknown."""
    site.fail(Function.INIT, code=pynvml.NVML_ERROR_DRIVER_NOT_LOADED)
    record = apply(device_plan(kind, cap=350, mode="sudo"), tmp_path, ME)
    assert (record.applied, record.held, record.gpus) == (None, False, ())
    assert describe_applied(record).endswith("no GPU answers here")
    assert observe_cap(device_plan(kind, cap=350)).applied is None


def test_no_cap_asked(site, device_plan, tmp_path):
    """Without a cap in the spec nothing is set, and no verdict is given."""
    record = apply(device_plan(mode="sudo"), tmp_path, ME)
    assert (record.applied, record.held, enforced(site)) == (None, False, [400, 400])
    assert observe_cap(device_plan()) == EnforcedCap(None, 400, applied=None)


def test_record_left_by_a_crash(site, device_plan, no_guard, tmp_path):
    """After a crash the next start goes back to the limit before the first one, not to our own cap."""
    apply(device_plan(cap=350, mode="sudo"), tmp_path, ME)
    record = apply(device_plan(cap=300, mode="sudo"), tmp_path, ME)
    assert enforced(site) == [300, 300]
    assert [limit.before_watts for limit in record.gpus] == [400, 400]
    restore(tmp_path)
    assert enforced(site) == [400, 400]


def test_restore_that_fails_stays_due(site, device_plan, no_guard, tmp_path, monkeypatch):
    """What could not be given back is said, and tried again."""
    apply(device_plan(cap=350, mode="sudo"), tmp_path, ME)
    site.fail(Function.SET_LIMIT, times=1, code=pynvml.NVML_ERROR_NO_PERMISSION)
    record = restore(tmp_path)
    assert site.fired(Function.SET_LIMIT) == 1
    assert record.held
    assert describe_restored(record).startswith("NOT RESTORED")
    assert not restore(tmp_path).held
    assert enforced(site) == [400, 400]


def test_guard_of_an_old_start_leaves_a_new_cap_alone(site, device_plan, no_guard, tmp_path):
    """A restore for one owner does not touch limits that another holds."""
    apply(device_plan(cap=350, mode="sudo"), tmp_path, ME)
    assert restore(tmp_path, "1@1") is None
    assert enforced(site) == [350, 350]


def test_changed_in_mid_run(site, device_plan):
    """A limit that someone changes while the run goes on becomes a fault event that names GPU, watts and request."""
    now = [0.0]
    watch = CapWatch(node_gpus(device_plan()).gpus, 350, lambda: now[0])
    assert watch() == []
    site.device(1).enforced_mw = 450_000
    assert watch() == []
    now[0] = 31.0
    (event,) = watch()
    assert event.kind == "fault"
    assert event.what == "the power limit of GPU-00000001-fake changed from 400 W to 450 W (asked for: 350 W)"
    now[0] = 62.0
    assert watch() == []


def test_combine():
    """A job's cap is in force only where every node says so; one that does not tell makes it unknown."""
    good, bad, mute = (
        EnforcedCap(350, 350, applied=True),
        EnforcedCap(350, 400, applied=False),
        EnforcedCap(350, None, applied=None),
    )
    assert combine_caps([good, None, good]) == good
    assert combine_caps([good, bad]) == EnforcedCap(350, 400, applied=False)
    assert combine_caps([good, mute]) == EnforcedCap(350, None, applied=None)
    assert combine_caps([bad, mute]) == EnforcedCap(350, None, applied=False)


def test_read_changes_nothing(site, device_plan, tmp_path):
    """Reading sets nothing and leaves no file."""
    assert read(device_plan(cap=350, mode="sudo")).applied is False
    assert site.state.fault[Function.SET_LIMIT].calls == 0
    assert not (tmp_path / "power-cap").exists()


def test_folder_that_cannot_be_written(site, make_bundle, tmp_path, capsys):
    """When nothing can be recorded nothing is changed, and the exit code says why."""
    (tmp_path / "power-cap").write_text("a file where the folder should be")
    assert main(["apply", "--bundle", str(make_bundle(cap=350)), "--run", str(tmp_path)]) == 78
    assert enforced(site) == [400, 400]
    assert "nothing was changed" in capsys.readouterr().err

"""Training over a real sshd, through ssh, pdsh and DeepSpeed's launcher: to the end, stopped, and hosts to refuse."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.tests.services.ssh_lab import DEAD, HOSTS, STRANGER, Hosts, missing
from trainwright.tests.services.tiny import Tiny, listening, write_spec

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]
STARTERS = {"ssh": "ssh", "pdsh": "pdsh", "deepspeed": "ssh"}  # and the program that each needs
TRAINWRIGHT = str(Path(sys.executable).with_name("trainwright"))


def start(lab: Hosts, project: Path) -> subprocess.Popen[str]:
    """Launch tiny.yaml inside the lab, as a process of its own."""
    words = lab.words(TRAINWRIGHT, "launch", "tiny.yaml")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(words, cwd=project, env=lab.environment, **pipes)


def launch(*hosts: str, starter: str = "ssh") -> str:
    """The launch section for these hosts."""
    return f"{{target: ssh, hosts: [{', '.join(hosts)}], starter: {starter}}}"


@pytest.mark.parametrize("starter", ["ssh", "pdsh", pytest.param("deepspeed", marks=pytest.mark.slow)])
def test_two_hosts_train_to_the_end(hosts: Hosts, project: Path, starter: str) -> None:
    """One rank on each host takes every step; the launch ends with 0."""
    if reason := missing(STARTERS[starter]):
        pytest.skip(f"no {starter} here: {reason}")
    write_spec(project, launch(*HOSTS, starter=starter), steps=30)
    output, _ = (process := start(hosts, project)).communicate(timeout=300)
    tiny = Tiny(project)
    assert process.returncode == 0, output
    assert (tiny.steps(), tiny.events("start")[0]["world_size"]) == (list(range(1, 31)), 2)


def test_two_hosts_prepare_and_train_nothing(hosts: Hosts, project: Path) -> None:
    """Each host makes its units, the first closes the dataset; energy is in the run's events, and no step is taken."""
    write_spec(project, launch(*HOSTS))
    text = (project / "tiny.yaml").read_text()
    text = text.replace("corpus/*.txt", "['corpus/*[0-4].txt', 'corpus/*[5-9].txt']").replace("384", "512")
    (project / "tiny.yaml").write_text(text)
    words = hosts.words(TRAINWRIGHT, "data", "prepare", "tiny.yaml")
    done = subprocess.run(
        words, cwd=project, env=hosts.environment, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.count("1 of 2 units are done") == 2
    tiny = Tiny(project)
    assert (tiny.run.data.is_symlink(), tiny.events("start")) == (True, [])
    assert [event["name"] for event in tiny.events("phase")].count("data") == 4  # start, two workers, close


@pytest.mark.parametrize(
    "starter", ["ssh", *(pytest.param(name, marks=pytest.mark.slow) for name in ("pdsh", "deepspeed"))]
)
def test_ctrl_c_saves_on_all_hosts(hosts: Hosts, project: Path, starter: str) -> None:
    """Ctrl-C at the launcher: every host saves and leaves, the code is 75, and a second launch goes on."""
    if reason := missing(STARTERS[starter]):
        pytest.skip(f"no {starter} here: {reason}")
    write_spec(project, launch(*HOSTS, starter=starter))
    process, tiny = start(hosts, project), Tiny(project)
    tiny.wait_for_step(10)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 75, output
    assert tiny.events("checkpoint")[-1]["step"] == tiny.steps()[-1]


def test_what_a_run_on_two_hosts_listens_on(hosts: Hosts, project: Path) -> None:
    """The ranks alone: on the named interface, and on any for their meeting, since a loopback name calls this host."""
    write_spec(project, launch(*HOSTS))
    process, tiny = start(hosts, project), Tiny(project)
    tiny.wait_for_step(5)
    sockets = listening(project)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=100)
    assert process.returncode == 75, output
    assert sockets.pop("trainwright.runtime.train") == {"127.0.0.1", "::"}
    assert not any(sockets.values()), sockets


@pytest.mark.parametrize("host", [STRANGER, DEAD])
def test_a_host_that_cannot_be_trusted_or_reached_stops_the_launch(hosts: Hosts, project: Path, host: str) -> None:
    """An unknown host key or a dead host: exit 2, the host is named, and nothing was started anywhere."""
    write_spec(project, launch(HOSTS[0], host), steps=30)
    output, _ = (process := start(hosts, project)).communicate(timeout=100)
    assert process.returncode == 2, output
    assert f"TW706: {host} " in output
    assert not Tiny(project).run.tokenizer.exists()


def test_a_host_that_boots_is_waited_for_until_the_stop_file(hosts: Hosts, project: Path) -> None:
    """At a restart a silent host is waited for and named; the stop file ends the wait at once, its end the launch."""
    write_spec(project, launch(HOSTS[0], DEAD), steps=30)
    subprocess.run([TRAINWRIGHT, "compile", "tiny.yaml"], cwd=project, check=True, capture_output=True, timeout=60)
    run = Tiny(project).run
    run.path.mkdir(parents=True)
    words = hosts.words("bash", str(project / "build/tiny/nodes.sh"), str(run.path), str(project))
    environment = {**hosts.environment, "TRAINWRIGHT_HOST_TIMEOUT": "600"}
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True) as nodes:
        said = nodes.stderr.readline()
        run.stop.touch()
        assert nodes.wait(60) == 75
    assert said.startswith(f"trainwright: waiting for {DEAD}, ")
    assert said.endswith("Connection refused\n")

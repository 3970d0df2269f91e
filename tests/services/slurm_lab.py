"""A real Slurm on this machine: munged, a controller and two nodes, with ports, folders and host names of their own.

`python tests/services/slurm_lab.py FOLDER` starts one by hand and says how to use it; Ctrl-C ends it. It needs root and
Debian's slurm-wlm and munge. The daemons live in a mount namespace, where /etc/hosts names the two nodes; nothing
outside FOLDER is touched.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from trainwright.tests.services import slurm_accounting

NODES = ("twlab1", "twlab2")
NEEDED = ("slurmctld", "slurmd", "munged", "sbatch", "unshare")

CONF = """
ClusterName=twlab
SlurmctldHost={controller}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
KillWait=30
MinJobAge=300
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=30
InactiveLimit=0
JobAcctGatherType=jobacct_gather/none
NodeName=DEFAULT CPUs=2 RealMemory=2000 Feature=a100 State=UNKNOWN
NodeName={first} NodeAddr=127.0.0.1 NodeHostname={controller} Port={port1}
NodeName={second} NodeAddr=127.0.0.1 NodeHostname={controller} Port={port2}
PartitionName=low Nodes={first},{second} Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=60 State=UP
PartitionName=site Nodes={first},{second} PriorityTier=1 AllowQos=large,small State=UP
PartitionName=high Nodes={first},{second} PriorityTier=10 PreemptMode=OFF State=UP
"""


def missing() -> str:
    """Why the lab cannot start here, or nothing."""
    absent = [name for name in NEEDED if shutil.which(name, path=_path()) is None] + slurm_accounting.missing()
    if absent:
        return f"not installed: {', '.join(absent)} (apt-get install slurm-wlm slurmdbd mariadb-server munge)"
    return "" if os.geteuid() == 0 else "needs root"


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Slurm:
    """A running lab."""

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str) -> str:
        """Run a client command; its output. Raises CalledProcessError."""
        result = subprocess.run(
            words, env=self.environment, text=True, capture_output=True, check=True, timeout=60, cwd=self.folder
        )
        return result.stdout.strip()

    def state(self, job: str) -> dict[str, str]:
        """What the controller knows of a job: JobState, Restarts, ExitCode ..."""
        words = self.run("scontrol", "--oneliner", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait(self, job: str, *states: str, seconds: float = 120) -> dict[str, str]:
        """Wait until a job is in one of `states`. Raises TimeoutError with the state it was in."""
        until = time.monotonic() + seconds
        while (now := self.state(job))["JobState"] not in states:
            if time.monotonic() > until:
                raise TimeoutError(f"job {job} is {now['JobState']} ({now.get('Reason')}), not {states}")
            time.sleep(0.2)
        return now

    def node(self, name: str) -> AbstractContextManager[None]:
        """A running slurmd."""
        return _daemon(self, "slurmd", "-D", "-N", name)

    def lose(self, name: str) -> int:
        """Kill a node's slurmd and all that runs there with -9, as when its power fails; how many processes it was."""
        victims = {process for process in psutil.process_iter() if _runs_on(process, name)}
        for process in victims:
            process.kill()
        psutil.wait_procs(victims, timeout=10)
        return len(victims)

    def clear(self) -> None:
        """End every job at once and wait until the queue is empty."""
        jobs = self.run("squeue", "--noheader", "--format=%A").split()
        for words in (("scancel", "--signal=KILL", "--full"), ("scancel",)) if jobs else ():
            subprocess.run([*words, *jobs], env=self.environment, check=False, timeout=60)
        self.empty()

    def empty(self) -> None:
        """Wait until no job is queued. Raises TimeoutError."""
        _until(lambda: not self.run("squeue", "--noheader"), "an empty queue")


@contextmanager
def slurm_lab(folder: Path) -> Iterator[Slurm]:
    """Start the lab in `folder`, wait until both nodes are idle, and end every daemon and job step on leaving."""
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(_configure(folder))}
    lab = Slurm(folder, environment)
    with ExitStack() as daemons:
        munge = (
            "munged",
            "--foreground",
            "--force",
            f"--key-file={folder}/munge.key",
            f"--socket={folder}/munge.socket",
        )
        pids = (f"--pid-file={folder}/munge.pid", f"--seed-file={folder}/munge.seed", f"--log-file={folder}/munge.log")
        daemons.enter_context(_daemon(lab, *munge, *pids))
        _until((folder / "munge.socket").exists, "munged")
        _account(lab, daemons)
        daemons.enter_context(_daemon(lab, "slurmctld", "-D", "-c"))
        for node in NODES:
            daemons.enter_context(lab.node(node))
        _until(lambda: _idle(lab) == len(NODES), "the nodes", folder)
        daemons.callback(lab.clear)
        yield lab


def _account(lab: Slurm, daemons: ExitStack) -> None:
    """Start the database and slurmdbd, and enter the site's account and QOS."""
    daemons.enter_context(_daemon(lab, *slurm_accounting.database(lab.folder)))
    _until((lab.folder / "db.socket").exists, "the database", lab.folder)
    slurm_accounting.grant(lab.folder)
    daemons.enter_context(_daemon(lab, "slurmdbd", "-D"))
    _until(lambda: _answers(lab, "sacctmgr", "--noheader", "list", "cluster"), "slurmdbd", lab.folder)
    for words in slurm_accounting.SITE:
        lab.run("sacctmgr", "--immediate", *words)


def _answers(lab: Slurm, *words: str) -> bool:
    try:
        lab.run(*words)
    except subprocess.CalledProcessError:
        return False
    return True


def _runs_on(process: psutil.Process, node: str) -> bool:
    """Whether a process is a node's slurmd, a task there, or the step daemon of one."""
    try:
        family = [process, *process.children()]
        tasks = any(member.environ().get("SLURMD_NODENAME") == node for member in family)
        return tasks or process.cmdline()[-2:] == ["-N", node]
    except (psutil.Error, OSError):
        return False


def _configure(folder: Path) -> Path:
    for name in ("state", *(f"spool-{node}" for node in NODES)):
        (folder / name).mkdir(exist_ok=True)
    folder.chmod(0o755)  # munged refuses a socket in a folder that others cannot enter
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    ports = _free_ports(5)
    names = {"controller": socket.gethostname().split(".")[0], "first": NODES[0], "second": NODES[1]}
    text = CONF.format(folder=folder, port=ports[0], port1=ports[1], port2=ports[2], **names)
    conf = folder / "slurm.conf"
    conf.write_text(text + slurm_accounting.SETTINGS.format(folder=folder, dbd=ports[3]))
    slurm_accounting.configure(folder, *ports[3:])
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
    hosts = "".join(f"127.0.0.1 {node}\n" for node in NODES)
    (folder / "hosts").write_text(Path("/etc/hosts").read_text() + hosts)
    return conf


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def _daemon(lab: Slurm, *words: str) -> Iterator[None]:
    """One daemon in a mount namespace of its own, where /etc/hosts is the lab's; killed with all its children."""
    mount = f'mount --bind "{lab.folder}/hosts" /etc/hosts && exec "$@"'
    namespace = ("unshare", "--mount", "sh", "-c", mount, "sh")
    log = (lab.folder / f"{words[0]}.out").open("ab")
    with log, subprocess.Popen((*namespace, *words), env=lab.environment, stdout=log, stderr=log) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _idle(lab: Slurm) -> int:
    try:
        return lab.run("sinfo", "--noheader", "--Node", "--partition=low", "--format=%T").split().count("idle")
    except subprocess.CalledProcessError:
        return 0


def _until(done, what: str, folder: Path | None = None, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            logs = "".join(path.read_text()[-2000:] for path in sorted(folder.glob("*.out"))) if folder else ""
            raise TimeoutError(f"{what} did not get ready in {seconds:g} s\n{logs}")
        time.sleep(0.1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A real Slurm with two nodes, until Ctrl-C.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where all that it writes goes")
    with slurm_lab(parser.parse_args().folder.resolve()) as started:
        sys.stdout.write(f"export SLURM_CONF={started.environment['SLURM_CONF']}\n")
        sys.stdout.flush()
        signal.pause()

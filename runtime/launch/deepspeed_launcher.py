"""The ranks of one node through DeepSpeed's launcher: what `deepspeed --no_ssh` does, without what it gets wrong.

That command answers 0 when the process that holds the ranks is killed, and it starts one node alone when the hostfile
is missing. So the hostfile is read here, and DeepSpeed's per-node launcher started directly.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .lifeline import bound_to_us

HIGHEST_SIGNAL = 64


def run_deepspeed_launcher(words: Sequence[str], hostfile: Path) -> int:
    """Start the ranks of this node and wait for them; the code of the first that failed, 128 + N for signal N.

    Raises OSError when there is no hostfile.
    """
    module = [sys.executable, "-u", "-m", "deepspeed.launcher.launch", "--log_level=warning"]
    # A session of its own: what is sent to our process group would make the launcher kill its ranks after 30 s.
    command = [*module, f"--world_info={encode_world(hostfile)}", *words]
    with subprocess.Popen(command, start_new_session=True, preexec_fn=bound_to_us()) as launcher:  # noqa: PLW1509 - one thread
        code = launcher.wait()
        with contextlib.suppress(ProcessLookupError):  # killed itself, it leaves its ranks behind
            os.killpg(launcher.pid, signal.SIGKILL)
    return shell_code(code)


def encode_world(hostfile: Path) -> str:
    """The hosts and their devices, as the launcher expects them: {host: [0, 1, ...]} in JSON in base64."""
    lines = [line.split(" slots=") for line in hostfile.read_text(encoding="utf-8").splitlines()]
    hosts = {host: list(range(int(slots))) for host, slots in lines}
    return base64.urlsafe_b64encode(json.dumps(hosts).encode()).decode()


def shell_code(code: int) -> int:
    """An exit status as a shell has it; the launcher passes on that a rank was ended by signal N as 256 - N."""
    number = -code if code < 0 else 256 - code
    return 128 + number if 0 < number <= HIGHEST_SIGNAL else code

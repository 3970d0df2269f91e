"""Strings that try to become a command, an option, a directive or a second line; and tools that only take notes.

A payload creates the file named by $CANARY. The stubs stand in for sbatch, srun, ssh and the rest: they write their
arguments down and run what the real ones would run, ssh through a second shell as sshd does. A job that was submitted
runs when its submission has ended.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from itertools import product
from pathlib import Path

PAYLOAD = 'touch "$CANARY"'
SHAPES = (
    "$({})",
    "`{}`",
    "; {} ;",
    "&& {} &&",
    "| {} |",
    "|| {}",
    "& {} &",
    "\n{}\n",
    "\r{}\r",
    "\r\n{}",
    "\u2028{}",
    "\u2029{}",
    "\x85{}",
    "\x0b{}",
    "\x0c{}",
    "\0{}",
    "' ; {} ; '",
    '" ; {} ; "',
    "'$({})'",
    '"$({})"',
    "${{IFS}}$({})",
    "<({})",
    ">({})",
    "$(({}))",
    "${{x:-$({})}}",
    "\\$({})",
    "\\`{}`",
    "*;{}",
    "{{a,$({})}}",
    "~$({})",
    "!{}",
    "%h;{}",
    "%n$({})",
    "#\n{}",
    "\n#SBATCH --wrap='{}'",
    "#SBATCH --comment=$({})",
    "EOF\n{}\nEOF",
    "}}; {}; {{",
    ") ; {} ; (",
    "]] ; {} ; [[",
    "{{{{ {} }}}}",
    "{{% {} %}}",
    "-oProxyCommand={}",
    "--wrap={}",
    "-rf $({})",
    "=$({})",
    "^$({})",
    "a]$({})",
    "\x1b[31m$({})",
    "\u202e$({})",
)
AFFIXES = ("{}", "a{}", "{}b", "node-1{}")
EXTRA = (
    "-rf",
    "--help",
    "..",
    "../../etc/passwd",
    "/etc/passwd",
    " ",
    "",
    "*",
    "~",
    "a b",
    "a\tb",
    "'",
    '"',
    "\\",
    "$CANARY",
    "é",
    "名",
    "\ud800",
)
STRINGS = tuple(
    dict.fromkeys(
        [affix.replace("{}", shape.format(PAYLOAD)) for shape, affix in product(SHAPES, AFFIXES)] + list(EXTRA)
    )
)

NOTE = """#!/usr/bin/env bash
{ printf '%s\\0' "${0##*/}" "$@"; printf '\\n'; } >>"$NOTES"
"""
STUBS = {
    "python": NOTE
    + """
env -0 >>"$NOTES.env"
case $2 in
  trainwright.runtime.launch.supervise) while [[ $1 != -- ]]; do shift; done; shift; exec "$@" ;;
esac
""",
    "sbatch": NOTE
    + """
while [[ $1 == -* ]]; do shift; done
printf '%s\\0' "$@" >"$(mktemp "$NOTES.job.$(date +%s%N).XXXX")"
echo 1
""",
    "srun": NOTE + 'while [[ $1 == -* ]]; do shift; done\nexec "$@"\n',
    "ssh": NOTE + 'while [[ $1 != -- ]]; do shift; done\nexec bash -c "$3"\n',
    "pdsh": NOTE
    + r"""
command=${*: -1} words=''
while [[ -n $command ]]; do
  case $command in
    %%*) words+=% ;; %h*) words+=n1 ;; %u*) words+=user ;; %n*) words+=0 ;;
    *) words+=${command:0:1} command=${command:1}; continue ;;
  esac
  command=${command:2}
done
exec bash -c "$words"
""",
    "scontrol": NOTE + "echo n\n",
    "kubectl": NOTE,
    "squeue": NOTE,
}

JOB = {"SLURM_JOB_ID": "1", "SLURM_JOB_NODELIST": "n", "SLURM_NODEID": "0", "SLURM_CPUS_ON_NODE": "1"}


@dataclass(frozen=True)
class Trap:
    """A folder of stubs, what they noted, and whether anything was executed."""

    folder: Path

    def __post_init__(self) -> None:
        for name, text in STUBS.items():
            stub = self.folder / "bin" / name
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.write_text(text)
            stub.chmod(0o700)

    def spring(self, bundle: dict[str, str]) -> None:
        """Run launch.sh of `bundle` against the stubs. Raises AssertionError when the payload ran."""
        folder, canary = self.folder / "bundle", self.folder / "canary"
        for place in (folder, self.folder / "run" / "bundle"):  # the run's own copy is what its jobs read
            place.mkdir(parents=True, exist_ok=True)
            for name, text in bundle.items():
                (place / name).write_text(text, encoding="utf-8", errors="surrogatepass")
                (place / name).chmod(0o700)
        for note in ("notes", "notes.env"):
            (self.folder / note).write_bytes(b"")
        environment = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "NOTES": str(self.folder / "notes"),
            "CANARY": str(canary),
            "TRAINWRIGHT_PYTHON": "python",
        }
        words = ["bash", str(folder / "launch.sh"), str(self.folder / "run"), str(self.folder)]
        subprocess.run(words, env=environment, cwd=self.folder, check=False, capture_output=True, timeout=60)
        for job in sorted(self.folder.glob("notes.job.*")):
            words = [b"bash", *job.read_bytes().split(b"\0")[:-1]]
            job.unlink()
            subprocess.run(words, env=environment | JOB, cwd=self.folder, check=False, capture_output=True, timeout=60)
        assert not canary.exists(), "the payload was executed"

    @property
    def arguments(self) -> list[str]:
        """Every argument that any stub received."""
        return (self.folder / "notes").read_bytes().decode(errors="surrogateescape").replace("\n", "").split("\0")

    @property
    def environment(self) -> list[str]:
        """Every variable that reached Python, as NAME=VALUE."""
        return (self.folder / "notes.env").read_bytes().decode(errors="surrogateescape").split("\0")


def yaml_string(text: str) -> str:
    """`text` as a quoted scalar."""
    return json.dumps(text)

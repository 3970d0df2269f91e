"""Why Slurm refused a job: its own words, and the settings of the spec that they can be about, each with its line.

`python -m trainwright.runtime.launch.slurm_refusal SPEC_LOCK <WORDS` prints both; launch.sh calls it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

# A word in Slurm's refusal, and the keys that it can be about; the first that is found counts.
ABOUT = (
    ("qos", "qos|account|partition"),
    ("account", "account|qos|partition"),
    ("partition", "partition"),
    ("time limit", "time_limit|partition|qos"),
    ("reservation", "reservation"),
    ("license", "licenses"),
    ("gres", "gres|gpus_per_node"),
    ("feature", "constraint"),
    ("memory", "mem|partition"),
    ("", "[a-z_]+"),
)
_SECTION = re.compile(r"^(?:cluster|launch):.*\n((?: .*\n)*)", re.MULTILINE)


def suspects(said: str, lock: str) -> list[str]:
    """The lines of spec.lock.yaml that Slurm's words can be about: those that the user wrote, with file and line."""
    keys = next(keys for word, keys in ABOUT if word in said.lower())
    setting = re.compile(rf"^ +(?:{keys}): .*# .*:\d+$", re.MULTILINE)
    return [line for section in _SECTION.findall(lock) for line in setting.findall(section)]


def main() -> None:
    """Print Slurm's words and what they can be about."""
    said = sys.stdin.read()
    lines = suspects(said, Path(sys.argv[1]).read_text(encoding="utf-8"))
    heading = "trainwright: TW708: Slurm refused the job; the settings of the spec that this can be about:"
    sys.stderr.write("\n".join([said.rstrip("\n"), heading, *lines, ""]))


if __name__ == "__main__":
    main()

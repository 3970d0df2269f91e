"""A site's own rules under a real Slurm: required QOS, constraint, setup lines, a container, and Slurm's refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from trainwright.tests.services.slurm_lab import Slurm
from trainwright.tests.services.test_slurm import Job, trainwright
from trainwright.tests.services.tiny import write_spec

pytestmark = [pytest.mark.service, pytest.mark.timeout(600)]

# Apptainer is in no registry of this project's machines: this has its calling convention, and a Python of its own.
APPTAINER = """\
#!/usr/bin/env bash
[[ $1 == exec && $2 == --bind=* && $3 == *.sif ]] || exit 64
echo "$SITE_MODULE ${{4##*/}} ${{*: -1}}" >>{project}/apptainer.log
export PATH={project}/image:$PATH
exec "${{@:4}}"
"""
SITE = """{{target: slurm, partition: site, account: nlp, time_limit: 00:10:00,
  setup: [export SITE_MODULE=loaded, "export PATH={project}/bin:$PATH"],
  environment: {{SITE_VARIABLE: two words}},
  container: {{image: /images/tw.sif, runtime: apptainer, mounts: ["/tmp:/tmp"]}},
  slurm: {{qos: large, constraint: a100, comment: of the site, options: {{wckey: llm}},
    prepare: {{partition: low, qos: normal, exclusive: false, mem: 500 MiB}}}}}}"""


def program(path: Path, text: str) -> None:
    """Write an executable file."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def test_a_site_with_a_required_qos_a_constraint_setup_and_a_container_runs(slurm: Slurm, project: Path) -> None:
    """From launch to the last step: both jobs are taken, and every Python process runs in the container."""
    program(project / "bin" / "apptainer", APPTAINER.format(project=project))
    program(project / "image" / "python", f'#!/usr/bin/env bash\nexec {sys.executable} "$@"\n')
    write_spec(project, SITE.format(project=project), 20)
    done = trainwright(slurm, project, "launch", "tiny.yaml")
    assert done.returncode == 0, done.stderr
    job = Job(project, slurm)
    ended = slurm.wait(job.id, "COMPLETED", "FAILED", "CANCELLED", seconds=300)
    assert (ended["JobState"], ended["QOS"], ended["Features"], ended["Account"]) == (
        "COMPLETED",
        "large",
        "a100",
        "nlp",
    ), job.log
    assert job.steps() == list(range(1, 21))
    inside = (project / "apptainer.log").read_text().splitlines()
    assert len([line for line in inside if line.startswith("loaded python")]) == 1  # prepare
    assert len([line for line in inside if line.startswith("loaded bash")]) == 2  # a node each
    slurm.clear()


@pytest.mark.parametrize(
    ("launch", "words", "setting"),
    [
        ("partition: site, slurm: {qos: huge}", "Invalid qos", 'qos: "huge"'),
        ("partition: site, account: nlp, slurm: {qos: normal}", "Invalid qos", 'qos: "normal"'),
        ("partition: nowhere", "invalid partition", 'partition: "nowhere"'),
        ("partition: low, account: physics", "Invalid account", 'account: "physics"'),
        ("partition: low, slurm: {reservation: never}", "reservation is invalid", 'reservation: "never"'),
        ("partition: low, slurm: {constraint: v100}", "Invalid feature", 'constraint: "v100"'),
        ("partition: low, slurm: {mem: 90 GiB}", "Memory specification", 'mem: "90 GiB"'),
    ],
    ids=["unknown QOS", "QOS not allowed", "partition", "account", "reservation", "constraint", "memory"],
)
def test_a_refusal_shows_slurms_words_and_the_line_of_the_spec(
    launch: str, words: str, setting: str, slurm: Slurm, project: Path
) -> None:
    """Exit 2: what sbatch said, and the setting it is about with the line it was written on; nothing is queued."""
    write_spec(project, f"{{target: slurm, {launch}}}", 40)
    line = (project / "tiny.yaml").read_text().splitlines().index(f"launch: {{target: slurm, {launch}}}") + 1
    done = trainwright(slurm, project, "launch", "tiny.yaml")
    assert (done.returncode, words in done.stderr, "TW708" in done.stderr) == (2, True, True), done.stderr
    assert f"{setting}  # tiny.yaml:{line}" in done.stderr, done.stderr
    assert slurm.run("squeue", "--noheader") == ""

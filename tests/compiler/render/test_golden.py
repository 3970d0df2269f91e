"""Golden bundles: one a branch of the templates compiles to the files that were reviewed; all examples are sound.

After a change that is meant, write them anew and review the difference:

    TRAINWRIGHT_UPDATE_GOLDEN=1 pytest tests/compiler/render/test_golden.py

The estimate is left out (and with it the MANIFEST): its figures have tests of their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate import latest_version, validate

from trainwright.compiler.load import load_all
from trainwright.compiler.pipeline import compile_bundle
from trainwright.compiler.render.ds_keys import unknown_keys
from trainwright.runtime.launch.launchable import Launchable
from trainwright.spec.manifest import MANIFEST, manifest
from trainwright.spec.plan import Plan

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests/golden"
SPECS = [*sorted((ROOT / "examples").glob("*.yaml")), *sorted((GOLDEN / "cases").glob("*.yaml"))]
CASES = {loaded.spec.name: loaded for loaded in load_all(SPECS)}
# The branches that no case of tests/golden/cases takes: a CPU, and stages on Slurm as Llama 2 70B needs them.
REVIEWED = [*("tiny-cpu", "llama2-70b"), *(path.stem for path in SPECS if path.parent.name == "cases")]
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


@pytest.fixture(scope="module", params=CASES)
def bundle(request) -> tuple[str, dict[str, str]]:
    """A case's name and its bundle."""
    return request.param, compile_bundle(CASES[request.param])


def reviewed(files: dict[str, str]) -> dict[str, str]:
    """The part of a bundle that is compared: without the estimate, also where a ConfigMap carries it.

    The spec's digest is left out as well: a new key of the language changes all of them, and spec.lock.yaml says what.
    """
    kept = {name: text for name, text in files.items() if name not in ("estimate.json", "estimate.md", MANIFEST)}
    kept["plan.json"] = re.sub(r'(?<="spec_sha256": ")[0-9a-f]+', "", kept["plan.json"])
    if "k8s-prepare.yaml" in kept:
        documents = list(yaml.safe_load_all(kept["k8s-prepare.yaml"]))
        kept["k8s-prepare.yaml"] = yaml.safe_dump_all([documents[0]["metadata"], *documents[1:]])
    return kept


@pytest.mark.parametrize("name", REVIEWED)
def test_the_bundle_is_the_reviewed_one(name: str) -> None:
    """Any change of output is seen in a review, file by file."""
    files, folder = compile_bundle(CASES[name]), GOLDEN / name
    if os.environ.get("TRAINWRIGHT_UPDATE_GOLDEN"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file, text in reviewed(files).items():
            (folder / file).write_text(text, encoding="utf-8")
    expected = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert reviewed(files) == expected


def test_no_golden_bundle_is_left_over() -> None:
    """Each folder belongs to a case that is compared."""
    assert {path.name for path in GOLDEN.iterdir() if path.is_dir()} - {"cases"} == set(REVIEWED)


def test_scripts_pass_shellcheck(bundle, tmp_path) -> None:
    """Every script is what a careful person would have written."""
    scripts = {name: text for name, text in bundle[1].items() if name.endswith((".sh", ".sbatch"))}
    for name, text in scripts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    words = [SHELLCHECK, "--external-sources", *sorted(scripts)]
    result = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stdout == ""


def test_deepspeed_knows_every_key(bundle) -> None:
    """No emitted key would be ignored."""
    assert unknown_keys(json.loads(bundle[1]["ds_config.json"])) == []


def test_a_bundle_says_what_starts_it(bundle) -> None:
    """Its files tell the target, also when nobody has the spec any more."""
    name, files = bundle
    plan = Plan.model_validate_json(files["plan.json"])
    assert Launchable(Path(), Path(), plan, files).target == CASES[name].spec.launch.target


def test_the_manifest_holds_every_file(bundle) -> None:
    """Hashes of all files, and nothing else: `sha256sum --check MANIFEST` agrees."""
    files = dict(bundle[1])
    text = files.pop(MANIFEST)
    heading = text.splitlines()[0].removeprefix("# Trainwright ")
    assert manifest(files, heading) == text


def test_nothing_of_this_machine_is_inside(bundle) -> None:
    """No absolute path of ours, no host name, no user, no interpreter."""
    text = "\n".join(bundle[1].values())
    assert [word for word in (str(ROOT), str(Path.home()), sys.executable) if word in text] == []


def core(documents: list[Any]) -> list[Any]:
    """The objects of Kubernetes' own API: for a JobSet or a TrainingRuntime, the Job inside it."""
    found: list[Any] = []
    for document in documents:
        if document["apiVersion"] in ("v1", "batch/v1", "apps/v1"):
            found.append(document)
        elif document["kind"] in ("JobSet", "TrainingRuntime"):
            outer = document["spec"] if document["kind"] == "JobSet" else document["spec"]["template"]["spec"]
            jobs = [job["template"]["spec"] for job in outer["replicatedJobs"]]
            found += [
                {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "inner"}, "spec": job} for job in jobs
            ]
    return found


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("kubernetes")])
def test_kubernetes_objects_follow_the_api(name: str) -> None:
    """Each object, and the Job inside of JobSet and TrainingRuntime, validates strictly against Kubernetes' schema."""
    files = compile_bundle(CASES[name])
    documents = [doc for file in sorted(files) if file.startswith("k8s") for doc in yaml.safe_load_all(files[file])]
    objects = core(documents)
    assert len(objects) >= 3
    for item in objects:
        validate(item, latest_version(), strict=True)

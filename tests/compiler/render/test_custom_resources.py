"""JobSet, TrainingRuntime and TrainJob follow the schemas of those projects: of the newest version and of an old one.

`tests/data/crds` holds the schemas; what is Kubernetes' own in these objects is validated in test_golden.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from trainwright.compiler.load import load
from trainwright.compiler.pipeline import compile_bundle

TESTS = Path(__file__).parents[2]
SCHEMAS = {path.stem: yaml.safe_load(path.read_text()) for path in sorted((TESTS / "data/crds").glob("*.yaml"))}
LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # RFC 1035, which the schemas ask for in CEL


def strict(schema: Any) -> Any:
    """`schema` refusing unknown fields, which an API server would drop in silence."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if "properties" in schema and "type" in schema and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed


def rendered(workload: str, *sets: str) -> dict[str, dict[str, Any]]:
    """The objects of k8s.yaml by kind."""
    loaded = load(TESTS / f"golden/cases/kubernetes-{workload}.yaml", sets)
    return {item["kind"]: item for item in yaml.safe_load_all(compile_bundle(loaded)["k8s.yaml"])}


@pytest.fixture(scope="module")
def objects() -> dict[str, dict[str, Any]]:
    """One object of each kind that is not Kubernetes' own."""
    return rendered("jobset") | rendered("trainjob")


@pytest.mark.parametrize("name", SCHEMAS)
def test_objects_follow_the_schema_of_their_project(objects, name: str) -> None:
    """No field is unknown, missing or of another type, in the oldest version that has what we use and in the newest."""
    crd = SCHEMAS[name]
    item = objects[crd["kind"]]
    problems = [error.message for error in Draft202012Validator(strict(crd["schema"])).iter_errors(item)]
    assert (problems, item["apiVersion"]) == ([], crd["apiVersion"])


def test_every_kind_has_a_schema(objects) -> None:
    """Two versions of each."""
    assert sorted(crd["kind"] for crd in SCHEMAS.values()) == sorted([*objects, *objects])


@pytest.mark.parametrize("damage", ["jobSets", "mlPolicy"])
def test_a_field_that_the_api_would_drop_is_found(objects, damage: str) -> None:
    """The harness itself: an unknown field and a wrong type do fail."""
    runtime = objects["TrainingRuntime"]
    broken = {**runtime, "spec": {**runtime["spec"], damage: "x"}}
    assert list(Draft202012Validator(strict(SCHEMAS["trainingruntime-v2.3.0"]["schema"])).iter_errors(broken))


@pytest.mark.parametrize("workload", ["job", "jobset", "trainjob"])
def test_names_are_labels_of_dns(workload: str) -> None:
    """A run may be called 7b.v2; a Service, a TrainJob and host names may not."""
    names = [item["metadata"]["name"] for item in rendered(workload, "name=7b.v2").values()]
    assert [name for name in names if not LABEL.fullmatch(name)] == []
    assert all(len(name) <= 63 for name in names)


def test_a_final_end_is_not_restarted(objects) -> None:
    """What the pod failure policy calls final ends the JobSet, whatever made it; other failures restart all pods."""
    final = [{"name": "final", "action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}]
    inner = objects["TrainingRuntime"]["spec"]["template"]["spec"]
    for jobset in (objects["JobSet"]["spec"], inner):
        assert jobset["failurePolicy"] == {"maxRestarts": 10, "rules": final}
        job = jobset["replicatedJobs"][0]["template"]["spec"]
        assert (job["backoffLimit"], job["podFailurePolicy"]["rules"][0]["action"]) == (0, "FailJob")


@pytest.mark.parametrize(
    ("sets", "adapters"), [((), 4), (("launch.rdma_devices=32",), 32), (("launch.rdma_devices=null",), 8)]
)
def test_a_node_has_as_many_rdma_devices_as_the_spec_says(sets, adapters) -> None:
    """Not one a GPU where it says otherwise; and no limit of memory, at which ranks would be killed."""
    (container,) = rendered("job", *sets)["Job"]["spec"]["template"]["spec"]["containers"]
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert limits == {"nvidia.com/gpu": 8, "vpc.amazonaws.com/efa": adapters, "hugepages-2Mi": "5120Mi"}
    assert requests == {**limits, "cpu": 1}

"""Site files: what a lab shares of its machine, extended by name from outside the project."""

from __future__ import annotations

import pytest

from trainwright.compiler.help.presets import catalogue
from trainwright.compiler.load import load
from trainwright.compiler.load.sites import sites
from trainwright.compiler.pipeline import compile_bundle
from trainwright.spec.problem import InputError

RUN = """\
name: mine
model: llama2-7b
tokenizer: {vocab_size: 32000}
data: {train: corpus/*.jsonl, tokens: 150B}
training: {sequence_length: 4096, global_batch: 512 sequences, optimizer: {learning_rate: 3e-4}}
carbon: {pue: 1.1, intensity: 0.385 kg/kWh}
cluster: {gpus: 32}
launch: {account: llm}
"""
SITE = """\
site: {title: Ours, source: our wiki, date: "2026-11-29"}
cluster: {name: Ours, gpu: A100-SXM4-80GB, gpus_per_node: 8, interconnect: {kind: roce, bandwidth_per_gpu: 200 Gbps}}
launch: {target: slurm, partition: big, slurm: {qos: large}}
"""


@pytest.fixture(autouse=True)
def nothing_listed(monkeypatch, tmp_path):
    """No site of whoever runs the tests."""
    monkeypatch.delenv("TRAINWRIGHT_SITES", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def spec(tmp_path, extends, text=RUN):
    """A spec in a project folder of its own."""
    (tmp_path / "project").mkdir(exist_ok=True)
    path = tmp_path / "project/spec.yaml"
    path.write_text(f"extends: {extends}\n{text}", encoding="utf-8")
    return path


def site(folder, name="ours", text=SITE):
    """A site file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path):
    """The only problem of a spec."""
    with pytest.raises(InputError) as raised:
        load(path)
    (problem,) = raised.value.problems
    return problem


@pytest.mark.parametrize("name", ["perlmutter", "juwels-booster", "leonardo-booster"])
def test_a_shipped_site_makes_a_bundle(tmp_path, name):
    """A spec with devices and an account is all that is missing; the job has what the site asks."""
    loaded = load(spec(tmp_path, name))
    job = compile_bundle(loaded)["slurm.sbatch"]
    launch = loaded.spec.launch
    asked = {"partition": launch.partition, "qos": launch.slurm.qos, "constraint": launch.slurm.constraint}
    assert "#SBATCH --account=llm" in job
    assert [f"#SBATCH --{key}={value}" in job for key, value in asked.items() if value] != []
    assert all(f"#SBATCH --{key}={value}" in job for key, value in asked.items() if value)
    assert loaded.spec.cluster.nodes == 8


def test_shipped_sites_say_their_source_and_date():
    """Every row of the table of sites can be looked up."""
    rows = [row for row in catalogue()["sites"] if row["listed_by"] == "shipped"]
    assert {row["name"] for row in rows} == {"perlmutter", "juwels-booster", "leonardo-booster"}
    assert all(row["title"] and row["source"] and row["date"] for row in rows)


@pytest.mark.parametrize("listed", ["folder", "file", "user"])
def test_a_site_outside_the_project_is_extended_when_listed(tmp_path, monkeypatch, listed):
    """By folder or file in TRAINWRIGHT_SITES, or in the user's own folder; the spec's keys lie over the site's."""
    path = site(tmp_path / ("config/trainwright/sites" if listed == "user" else "lab/sites"))
    if listed != "user":
        listing = [str(tmp_path / "nowhere"), str(path if listed == "file" else path.parent)]
        monkeypatch.setenv("TRAINWRIGHT_SITES", ":".join(listing))
    found = load(spec(tmp_path, "ours"))
    assert (found.spec.cluster.name, found.spec.cluster.gpus, found.spec.launch.slurm.qos) == ("Ours", 32, "large")
    assert found.provenance["launch.partition"] == f"{path}:3"
    by_path = load(spec(tmp_path, path))
    assert by_path.sha256 == found.sha256


def test_what_is_not_listed_is_refused(tmp_path, monkeypatch):
    """A path outside of the project stays refused, also beside a listed folder and through a link in one."""
    path = site(tmp_path / "lab/sites")
    assert "leads out of the project folder" in refused(spec(tmp_path, path)).message
    monkeypatch.setenv("TRAINWRIGHT_SITES", str(tmp_path / "lab/other"))
    (tmp_path / "lab/other").mkdir()
    (tmp_path / "lab/other/link.yaml").symlink_to(path)
    assert "leads out of the project folder" in refused(spec(tmp_path, tmp_path / "lab/other/link.yaml")).message
    assert "leads out of the project folder" in refused(spec(tmp_path, "../lab/sites/ours.yaml")).message


def test_a_file_of_the_project_comes_before_a_site(tmp_path):
    """A name that is also a file next to the spec means the file."""
    path = spec(tmp_path, "perlmutter")
    (path.parent / "perlmutter").write_text(SITE.partition("\n")[2], encoding="utf-8")
    assert load(path).spec.cluster.name == "Ours"


def test_a_mistyped_site_gets_the_one_that_was_meant(tmp_path):
    """The problem is at the name, and lists the nearest."""
    problem = refused(spec(tmp_path, "permutter"))
    assert (problem.code, problem.place.line, problem.place.column) == ("TW110", 1, 10)
    assert "`perlmutter`" in problem.remedy


def test_several_bases_are_laid_over_each_other_in_order(tmp_path):
    """A site and a project's own base are used together; the later wins, the spec wins over both."""
    path = spec(tmp_path, "[perlmutter, base.yaml]", RUN.replace("cluster: {gpus: 32}\n", ""))
    base = path.parent / "base.yaml"
    base.write_text("cluster: {gpus: 16, gpu: A100-SXM4-80GB}\nlaunch: {account: other}\n", encoding="utf-8")
    found = load(path).spec
    assert (found.cluster.gpus, found.cluster.gpu, found.cluster.gpus_per_node) == (16, "A100-SXM4-80GB", 4)
    assert (found.launch.account, found.launch.slurm.qos) == ("llm", "regular")


@pytest.mark.parametrize("extends", ["[]", "[perlmutter, 3]", "{a: b}", "3", "''", "[spec.yaml]"])
def test_bases_that_are_none_are_refused(tmp_path, extends):
    """One located problem each."""
    assert refused(spec(tmp_path, extends)).code == "TW110"


def test_sites_may_extend_what_lies_beside_them(tmp_path, monkeypatch):
    """A partition's file extends the machine's, in the folder of the site, and nothing above it."""
    site(tmp_path / "lab")
    site(tmp_path / "lab", "small", "extends: ours.yaml\nlaunch: {partition: small}\n")
    site(tmp_path / "lab", "wrong", "extends: ../project/spec.yaml\n")
    monkeypatch.setenv("TRAINWRIGHT_SITES", str(tmp_path / "lab"))
    found = load(spec(tmp_path, "small")).spec.launch
    assert (found.partition, found.slurm.qos) == ("small", "large")
    assert "leads out" in refused(spec(tmp_path, "wrong")).message
    assert list(sites())[:3] == ["ours", "small", "wrong"]


def test_a_site_that_is_no_spec_is_reported_where_it_is_wrong(tmp_path, monkeypatch):
    """Its own line, not that of whoever extends it."""
    path = site(tmp_path / "lab", "ours", "cluster: {gpu: [\n")
    monkeypatch.setenv("TRAINWRIGHT_SITES", str(path))
    problem = refused(spec(tmp_path, "ours"))
    assert (problem.code, problem.place.file) == ("TW102", str(path))
    with pytest.raises(InputError):
        catalogue()

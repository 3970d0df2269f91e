"""Loading: short forms, presets, extends, --set and the matrix give resolved specs, with every value's origin."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.compiler.load import load, load_all
from trainwright.spec.problem import InputError

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
BASE = (ROOT / "tests/bad/base/gpu.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    """A project folder with a good base."""
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str, name: str = "spec.yaml") -> Path:
    """A spec over the base."""
    path = folder / name
    path.write_text(f"extends: base.yaml\n{text}", encoding="utf-8")
    return path


def codes(path: Path, *sets: str) -> list[str]:
    """The codes of what is wrong."""
    with pytest.raises(InputError) as caught:
        load_all([path], sets)
    return [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_value_of_an_example_has_an_origin(path):
    """A line of a file, a preset, or a default: nothing comes from nowhere."""
    for loaded in load_all([path]):
        leaves = [key for key in loaded.provenance if "." in key]
        assert len(leaves) > 60
        assert all(origin for origin in loaded.provenance.values())


def test_origins_name_the_line_the_preset_and_the_default(folder):
    """What the lock file says of each value."""
    path = written(folder, "cluster: {gpus: 512}\n")
    origins = load(path, ["cluster.power_cap=350W"]).provenance
    assert origins["cluster.gpus"] == f"{path}:2"
    assert origins["cluster.power_cap"] == "--set"
    assert origins["cluster.gpus_per_node"] == "preset meta-rsc"
    assert origins["training.sequence_length"] == f"{folder / 'base.yaml'}:7"
    assert origins["training.optimizer.beta2"] == "default"
    assert "arXiv 2307.09288" in origins["model"]


def test_a_preset_is_overridden_key_by_key_and_deeply(folder):
    """Only what is written changes, in nested sections too."""
    spec = load(written(folder, "cluster: {interconnect: {traffic_class: 41}}\nmodel: {rope_theta: 5e5}\n")).spec
    assert (spec.cluster.interconnect.kind, spec.cluster.interconnect.traffic_class) == ("infiniband", 41)
    assert (spec.model.name, spec.model.layers, spec.model.rope_theta) == ("llama2-70b", 80, 5e5)


def test_a_model_of_other_sizes_is_not_called_by_its_presets_name(folder):
    """Reports must not say llama2-70b for a model of 24 layers; another size of cluster is still that cluster."""
    spec = load(written(folder, "model: {layers: 24}\ncluster: {gpus: 64}\n")).spec
    assert (spec.model.name, spec.cluster.name) == ("llama2-70b-modified", "meta-rsc")


def test_null_unsets_a_presets_value(folder):
    """`power_cap: null` is the device's default, not the preset's cap."""
    assert load(written(folder, "cluster: {power_cap: null}\n")).spec.cluster.power_cap is None


@pytest.mark.parametrize(
    ("train", "paths"),
    [("a.txt", ["a.txt"]), ("[a.txt, {path: b.txt, weight: 2}]", ["a.txt", "b.txt"]), ("{path: c.txt}", ["c.txt"])],
)
def test_sources_may_be_a_glob_a_list_or_mappings(folder, train, paths):
    """The short forms mean the long one."""
    spec = load(written(folder, f"data: {{train: {train}}}\n")).spec
    assert [source.path for source in spec.data.train] == paths


def test_a_name_replaces_and_a_mapping_refines(folder):
    """`model: x` over a mapping starts afresh; a mapping over `model: x` changes that preset."""
    written(folder, "model: {preset: llama2-7b, layers: 4}\n", "middle.yaml")
    top = folder / "top.yaml"
    top.write_text("extends: middle.yaml\nmodel: llama2-13b\n", encoding="utf-8")
    assert load(top).spec.model.layers == 40
    top.write_text("extends: middle.yaml\nmodel: {heads: 16, kv_heads: 16}\n", encoding="utf-8")
    assert (load(top).spec.model.layers, load(top).spec.model.heads) == (4, 16)


def test_set_reads_values_as_the_spec_does(folder):
    """Units, numbers, lists and mappings; a preset's name on the way becomes its mapping; the last one wins."""
    path = written(folder, "")
    sets = ["cluster.power_cap=350W", "model.layers=4", "data.train=[a.txt]", "parallel={tensor: 2}", "model.layers=8"]
    spec = load(path, sets).spec
    assert (spec.cluster.power_cap, spec.model.layers, spec.parallel.tensor) == (350, 8, 2)
    assert [source.path for source in spec.data.train] == ["a.txt"]


@pytest.mark.parametrize("train", ["a.txt", "[a.txt]", "{path: a.txt}", "[{path: a.txt, weight: 3}]"])
def test_set_takes_the_path_that_a_problem_prints(folder, train):
    """`data.train.0.weight` is how problems call it, whichever short form the file has; the rest of it stays."""
    spec = load(written(folder, f"data: {{train: {train}}}\n"), ["data.train.0.weight=2"]).spec
    assert [(source.path, source.weight) for source in spec.data.train] == [("a.txt", 2)]


def test_set_can_make_a_matrix(folder):
    """A sweep needs no second file."""
    found = load_all([written(folder, "")], ["matrix.cluster.power_cap=[400 W, 350 W]"])
    assert [item.spec.cluster.power_cap for item in found] == [400, 350]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("power_cap", "TW112"),
        ("cluster.power_cap=", "TW112"),
        ("=1", "TW112"),
        ("a..b=1", "TW112"),
        ("A=1", "TW112"),
        ("cluster.powr=1", "TW201"),
        ("extends=base.yaml", "TW112"),
        ("data.train.1.weight=2", "TW112"),
        ("data.train.0.wieght=2", "TW201"),
        ("matrix.data.train.5.weight=[1, 2]", "TW111"),
    ],
)
def test_a_wrong_set_is_reported_at_the_option(folder, text, code):
    """Not at a line of the file, which is right."""
    with pytest.raises(InputError) as caught:
        load(written(folder, ""), [text])
    assert [(problem.code, problem.place.file) for problem in caught.value.problems] == [(code, "--set")]


def test_a_matrix_makes_one_named_spec_of_each_combination(folder):
    """In the order of the file, the names made of the values."""
    path = written(folder, "matrix: {cluster.power_cap: [400 W, 350 W], model: [llama2-7b, llama2-13b]}\n")
    found = load_all([path])
    assert [item.spec.name for item in found] == [
        *("bad-400w-llama2-7b", "bad-400w-llama2-13b"),
        *("bad-350w-llama2-7b", "bad-350w-llama2-13b"),
    ]
    assert [item.spec.cluster.power_cap for item in found] == [400, 400, 350, 350]
    assert len({item.sha256 for item in found}) == 4


def test_set_pins_a_key_of_the_matrix(folder):
    """`--set` on a varied key leaves one value of it, with its own name; a command for one spec then takes the file."""
    path = written(folder, "matrix: {cluster.power_cap: [400 W, 350 W]}\n")
    assert codes(path, "cluster.power_cap=x") == ["TW206"]
    pinned = load(path, ["cluster.power_cap=300W"]).spec
    assert (pinned.name, pinned.cluster.power_cap) == ("bad-300w", 300)
    with pytest.raises(InputError) as caught:
        load(path)
    assert "bad-400w, bad-350w" in caught.value.problems[0].message


ROWS = """
matrix:
  - {model: llama2-7b, cluster.power_cap: 400 W}
  - {cluster.power_cap: 350 W, model: llama2-13b}
"""


def test_rows_of_a_matrix_keep_their_values_together(folder):
    """One spec a row, named after its first value."""
    found = load_all([written(folder, ROWS)])
    assert [(item.spec.name, item.spec.cluster.power_cap) for item in found] == [
        ("bad-llama2-7b", 400),
        ("bad-llama2-13b", 350),
    ]


def test_set_picks_a_row_by_its_first_key_and_changes_the_others_in_every_row(folder):
    """A first key that no row has is refused with those there are."""
    path = written(folder, ROWS)
    picked = load(path, ["model=llama2-13b"]).spec
    assert (picked.name, picked.model.hidden_size, picked.cluster.power_cap) == ("bad-llama2-13b", 5120, 350)
    assert [item.spec.cluster.power_cap for item in load_all([path], ["cluster.power_cap=300W"])] == [300, 300]
    with pytest.raises(InputError) as caught:
        load(path, ["model=llama2-70b"])
    assert [(problem.code, problem.place.file) for problem in caught.value.problems] == [("TW111", "--set")]
    assert "llama2-7b, llama2-13b" in caught.value.problems[0].remedy


def test_the_hash_is_of_the_meaning(folder):
    """Comments, order, units and presets that say the same change nothing; a value does."""
    plain = load(written(folder, "")).sha256
    assert load(written(folder, "# a comment\ncluster: {power_cap: 0.4 kW}\n")).sha256 == plain
    assert load(written(folder, "cluster: {power_cap: 350 W}\n")).sha256 != plain


def test_all_problems_of_all_files_come_at_once(folder):
    """Two broken files, three problems, one report."""
    first = written(folder, "modle: 1\ncluster: {gpus: 0}\n")
    second = folder / "second.yaml"
    second.write_text("extends: nowhere.yaml\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_all([first, second])
    assert sorted(problem.code for problem in caught.value.problems) == ["TW110", "TW201", "TW205"]


def test_an_unknown_preset_is_one_problem_not_ten(folder):
    """What is missing only because the preset is unknown is not reported."""
    path = folder / "alone.yaml"
    path.write_text(BASE.replace("model: llama2-70b", "model: llama3"), encoding="utf-8")
    assert codes(path) == ["TW207"]


def test_bases_may_be_deep_but_neither_circular_nor_outside(folder):
    """A chain works; a circle and a link that leads out are refused."""
    written(folder, "", "a.yaml")
    (folder / "b.yaml").write_text("extends: a.yaml\n", encoding="utf-8")
    (folder / "c.yaml").write_text("extends: b.yaml\n", encoding="utf-8")
    assert load(folder / "c.yaml").spec.name == "bad"
    (folder / "base.yaml").write_text("extends: c.yaml\n", encoding="utf-8")
    assert codes(folder / "c.yaml") == ["TW110"]
    outside = folder.parent / f"{folder.name}.yaml"
    outside.write_text(BASE, encoding="utf-8")
    (folder / "base.yaml").unlink()
    (folder / "base.yaml").symlink_to(outside)
    assert codes(folder / "c.yaml") == ["TW110"]


def test_the_published_sizes_give_the_published_parameter_counts():
    """6.7B, 13.0B, 33.7B, 69.0B for Llama 2; 6.7B, 13.0B, 32.5B, 65.2B for LLaMA (table 2 of each paper); 1.1B."""
    from trainwright.compiler.load.presets import presets

    counts = {name: round(preset.shape.parameters / 1e9, 1) for name, preset in presets("model").items()}
    assert {name: count for name, count in counts.items() if name.startswith(("llama1", "llama2", "tinyllama"))} == {
        "llama2-7b": 6.7,
        "llama2-13b": 13.0,
        "llama2-34b": 33.7,
        "llama2-70b": 69.0,
        "llama1-7b": 6.7,
        "llama1-13b": 13.0,
        "llama1-33b": 32.5,
        "llama1-65b": 65.3,
        "tinyllama-1.1b": 1.1,
    }

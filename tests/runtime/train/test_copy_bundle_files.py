"""A run folder holds what its report needs of the bundle."""

from trainwright.runtime.train.copy_bundle_files import keep
from trainwright.spec.run_folder import RunFolder


def test_plan_and_estimate_are_copied_and_renewed(tmp_path):
    """The run folder holds the bundle's bytes, also after the bundle was compiled anew; a missing file is no error."""
    bundle, run = tmp_path / "bundle", RunFolder(tmp_path / "run")
    bundle.mkdir()
    run.path.mkdir()
    (bundle / "plan.json").write_text("old")
    keep(bundle, run)
    (bundle / "plan.json").write_text("new")
    (bundle / "MANIFEST").write_text("hashes")
    keep(bundle, run)
    assert {file.name: file.read_text() for file in run.path.iterdir()} == {"plan.json": "new", "MANIFEST": "hashes"}

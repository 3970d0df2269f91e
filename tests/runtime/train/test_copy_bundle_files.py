"""A run folder holds what its report needs of the bundles that it ran with."""

from trainwright.runtime.train.copy_bundle_files import keep
from trainwright.spec.run_folder import RunFolder


def test_every_attempt_keeps_its_own(tmp_path):
    """An attempt holds its bundle's bytes, also after the bundle was compiled anew; a missing file is no error."""
    bundle, run = tmp_path / "bundle", RunFolder(tmp_path / "run")
    bundle.mkdir()
    (bundle / "plan.json").write_text("old")
    keep(bundle, run.attempt(1))
    (bundle / "plan.json").write_text("new")
    (bundle / "MANIFEST").write_text("hashes")
    (bundle / "spec.lock.yaml").write_text("spec")
    keep(bundle, run.attempt(2))
    first, second = ({file.name: file.read_text() for file in run.attempt(n).iterdir()} for n in (1, 2))
    assert (first, second) == (
        {"plan.json": "old"},
        {"plan.json": "new", "MANIFEST": "hashes", "spec.lock.yaml": "spec"},
    )

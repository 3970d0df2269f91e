"""Services that are started once for all tests that need them, or skipped with the reason."""

from pathlib import Path

import pytest

from trainwright.tests.services import link_lab, slurm_lab, ssh_lab


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A real Slurm with two nodes."""
    if reason := slurm_lab.missing():
        pytest.skip(f"no Slurm here: {reason}")
    with slurm_lab.slurm_lab(tmp_path_factory.mktemp("slurm")) as lab:
        yield lab


@pytest.fixture(scope="session")
def hosts(tmp_path_factory):
    """Two hosts that a real sshd answers for."""
    if reason := ssh_lab.missing():
        pytest.skip(f"no sshd here: {reason}")
    with ssh_lab.ssh_lab(tmp_path_factory.mktemp("ssh")) as lab:
        yield lab


@pytest.fixture
def link(tmp_path_factory):
    """Two hosts and the link between them."""
    if reason := link_lab.missing():
        pytest.skip(f"no shaped link here: {reason}")
    with link_lab.link_lab(tmp_path_factory.mktemp("link")) as lab:
        yield lab


@pytest.fixture
def project(tmp_path):
    """A project folder with a small corpus of this package's own text."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, path in enumerate(sorted((Path(__file__).parents[2] / "runtime").rglob("*.py"))):
        (corpus / f"{number}.txt").write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return tmp_path

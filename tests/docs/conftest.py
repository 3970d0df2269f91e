"""The built site, once for all tests and workers."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built as `make docs` builds it; every shell example of the pages runs on the way."""
    shared = tmp_path_factory.getbasetemp()
    if shared.name.startswith("popen"):  # a worker of pytest-xdist
        shared = shared.parent
    folder, log = shared / "site", shared / "site.log"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not log.exists():
            command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
            quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # an announcement of the theme's makers, not of our site
            built = subprocess.run(
                command, cwd=ROOT, env=quiet, capture_output=True, text=True, timeout=290, check=False
            )
            log.write_text(built.stdout + built.stderr + ("" if built.returncode == 0 else f"\nrc {built.returncode}"))
    if log.read_text().strip():
        pytest.fail(log.read_text(), pytrace=False)
    return folder

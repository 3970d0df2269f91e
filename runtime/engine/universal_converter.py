"""DeepSpeed's converter from its own checkpoint files to universal ones, which any layout can load."""

from __future__ import annotations

import contextlib
import os
from argparse import Namespace
from pathlib import Path


def to_universal(source: Path, target: Path) -> None:
    """Convert the files in `source`, which must have been checked: the converter unpickles anything."""
    from deepspeed.checkpoint import ds_to_universal

    options = Namespace(
        input_folder=str(source),
        output_folder=str(target),
        num_extract_workers=1,
        num_merge_workers=1,
        keep_temp_folder=False,
        strict=True,
        inject_missing_state=True,
    )
    with Path(os.devnull).open("w") as quiet, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        ds_to_universal.main(options)

"""What ranks send each other: values pass, programs do not."""

from __future__ import annotations

import os
import pickle
from importlib import import_module
from pathlib import Path

import pytest

from trainwright.runtime.checkpoint.store import FileEntry
from trainwright.runtime.parallel.plain_pickle import CLASSES, loads
from trainwright.runtime.preflight.check_result import CheckResult
from trainwright.spec.exit_codes import Exit

PLAIN = [
    None,
    [1, 2.5, "text", None, {"a": (True, {1, 2})}],
    {"engine/a.pt": FileEntry(3, "00")},
    (Path("/run/checkpoints"), [CheckResult("disk", "pass", "ok")], (Exit.CORRUPT, "why")),
]


class Gadget:
    """A pickle that makes a folder when it is loaded."""

    def __reduce__(self):
        return (os.mkdir, ("/nonexistent/executed",))


@pytest.mark.parametrize("value", PLAIN)
def test_values_pass(value) -> None:
    """Plain values and the few classes that ranks exchange come out as they went in."""
    assert loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("value", [Gadget(), print, Path.unlink, object(), pickle.Unpickler, [1, {"deep": [Gadget()]}]])
def test_programs_do_not_pass(value) -> None:
    """Anything else is refused by name before it is made."""
    with pytest.raises(pickle.UnpicklingError, match="which no rank sends"):
        loads(pickle.dumps(value))


def test_every_class_that_passes_exists() -> None:
    """The list follows when a class moves."""
    for path in CLASSES - {"pathlib._local.PosixPath"}:
        module, _, name = path.rpartition(".")
        assert isinstance(getattr(import_module(module), name), type)

"""State of unknown origin: nothing but plain state under the model's own names gets past the look at it."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from collections import OrderedDict

import pytest
import torch

from trainwright.runtime.checkpoint.foreign_state import refusal, rewrite

SHAPES = {"model.norm.weight": torch.Size([4]), "lm_head.weight": torch.Size([8, 4])}


class Gadget:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def sound() -> dict:
    """What DeepSpeed saves, in small."""
    return {
        "module": OrderedDict((name, torch.zeros(shape)) for name, shape in SHAPES.items()),
        "param_shapes": [OrderedDict(SHAPES)],
        "shared_params": {},
        "optimizer": None,
        "dp_world_size": 2,
        "universal_checkpoint_info": {
            "universal_checkpoint_version": 0.4,
            "vocabulary_parameter_patterns": [r"^lm_head\.weight$"],
            "original_vocab_size": 8,
        },
    }


def changed(**parts) -> dict:
    """A sound state with other parts."""
    return sound() | parts


def converter(**parts) -> dict:
    """A sound state whose converter's input has other parts."""
    return changed(universal_checkpoint_info=sound()["universal_checkpoint_info"] | parts)


def nested(levels: int) -> list:
    """A list of lists."""
    value: list = []
    for _ in range(levels):
        value = [value]
    return value


HOSTILE = {
    "a path for a weight": changed(module={"../../../tmp/evil": torch.zeros(4)}),
    "an absolute path": changed(param_shapes=[{"/tmp/evil": torch.Size([4])}]),  # noqa: S108 - never opened
    "a name that the model does not have": changed(module={"model.other.weight": torch.zeros(4)}),
    "a path deep inside": changed(optimizer={"state": [{"a/b": 1}]}),
    "a newline in a name": changed(shared_params={"model.norm.weight\n": "x"}),
    "a tuple for a name": changed(shared_params={("a", "b"): 1}),
    "a tensor larger than the file": changed(module={"lm_head.weight": torch.zeros(1).expand(10**9, 10**3)}),
    "a structure without end": changed(optimizer=nested(100)),
    "a pattern that takes for ever": converter(vocabulary_parameter_patterns=["^(a+)+$"]),
    "a size that takes all memory": converter(original_vocab_size=10**12),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_save_of_ours_holds_is_refused(tmp_path, what):
    """Names that become paths, sizes that take all memory, patterns that take for ever: each is named."""
    torch.save(HOSTILE[what], tmp_path / "state.pt")
    assert refusal(tmp_path / "state.pt", SHAPES)


def test_what_deepspeed_saves_is_taken(tmp_path):
    """A sound file is not refused, and its copy holds the same."""
    torch.save(sound(), tmp_path / "state.pt")
    assert refusal(tmp_path / "state.pt", SHAPES) is None
    rewrite(tmp_path / "state.pt", tmp_path / "copy.pt")
    copied = torch.load(tmp_path / "copy.pt", weights_only=True)
    assert copied.keys() == sound().keys()
    assert torch.equal(copied["module"]["lm_head.weight"], sound()["module"]["lm_head.weight"])


def pickled(tmp_path) -> bytes:
    """A bare pickle."""
    return pickle.dumps(Gadget(tmp_path / "executed"))


def saved(tmp_path) -> bytes:
    """What torch.save writes."""
    memory = io.BytesIO()
    torch.save({"module": Gadget(tmp_path / "executed")}, memory)
    return memory.getvalue()


def old_format(tmp_path) -> bytes:
    """What torch.save wrote before 1.6."""
    memory = io.BytesIO()
    torch.save({"module": Gadget(tmp_path / "executed")}, memory, _use_new_zipfile_serialization=False)
    return memory.getvalue()


def script(tmp_path) -> bytes:
    """An archive that torch would take for TorchScript."""
    memory = io.BytesIO(saved(tmp_path))
    with zipfile.ZipFile(memory, "a") as archive:
        archive.writestr("archive/constants.pkl", pickled(tmp_path))
    return memory.getvalue()


def compressed(tmp_path) -> bytes:
    """An archive that unpacks to a thousand times its size."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}q\x00." + bytes(10**7))
    return memory.getvalue()


@pytest.mark.parametrize(
    "make", [pickled, saved, old_format, script, compressed, lambda _: b"", lambda _: b"PK\x03\x04"]
)
def test_nothing_is_executed(tmp_path, make):
    """A program in any format that torch reads is refused, and not run."""
    (tmp_path / "state.pt").write_bytes(make(tmp_path))
    assert refusal(tmp_path / "state.pt", SHAPES)
    assert not (tmp_path / "executed").exists()

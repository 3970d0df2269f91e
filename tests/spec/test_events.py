"""The events of a log: what is written is read back, and any log can be read."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.spec.event_fields import EnforcedCap, SourceUse
from trainwright.spec.events import KINDS, Event, StartEvent, StepEvent, UnknownEvent, from_json, from_line, to_line

SOURCE = SourceUse(path="a.txt", documents=3, tokens=9, held_out_tokens=1, share=1.0, epochs=2.5, skipped=0)
VALUES = {
    "float | None": 0.5,
    "int | None": 7,
    "bool | None": True,
    "str | None": "nvml",
    "str": "words",
    "EnforcedCap | None": EnforcedCap(350.0, None, applied=None),
    "dict[str, str] | None": {"torch": "2"},
    "tuple[str, ...]": ("a", "b"),
    "tuple[SourceUse, ...]": (SOURCE,),
    "tuple[float | None, ...]": (0.5, None),
    "tuple[int | None, ...]": (0, None, 7),
}
STRANGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_back(kind):
    """Every field of every kind, whatever its type."""
    event = KINDS[kind](**{own.name: VALUES[str(own.type)] for own in fields(KINDS[kind])})
    assert from_line(to_line(event)) == event


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_unknown(kind):
    """So it is for a log of a version that wrote fewer fields; an event that says nothing is none."""
    needed = KINDS[kind].needed
    values = {name: "train" if name == "name" else 1 for name in needed}
    assert from_json({"kind": kind, **values}) == KINDS[kind](**values)
    assert [from_json({"kind": kind, **values, name: []}) for name in needed] == [None] * len(needed)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_value_in_any_field_is_read(kind, data):
    """No value of another type stops a reader, and what was read is written and read again to the same event."""
    names = [own.name for own in fields(KINDS[kind])]
    event = from_json({"kind": kind, **data.draw(st.dictionaries(st.sampled_from(names), STRANGE))})
    assert event is None or from_line(to_line(event)) == event


@pytest.mark.parametrize("value", ["1", True, float("nan"), 10**400, None, [1]])
def test_what_is_no_finite_number_is_unknown(value):
    """Null in the log, and no reader mistakes it for a zero."""
    assert from_json({"kind": "step", "step": 1, "loss": value}) == StepEvent(step=1)
    assert json.loads(to_line(StepEvent(loss=float("inf"))))["loss"] is None


def test_a_kind_of_another_version_is_kept_apart():
    """It keeps its time; a report counts it and reads what follows."""
    assert from_json({"kind": "hologram", "time": 1.5}) == UnknownEvent(given_kind="hologram", time=1.5)


@pytest.mark.parametrize("line", [b"", b'{"kind": "st', b"[]", b"5", b"{}", b'{"kind": 5}', b"\xff", b"[" * 10000])
def test_a_torn_line_is_no_event(line):
    """A line that was cut, or holds something else, is left out."""
    assert from_line(line) is None


def test_a_log_of_an_older_version_is_read():
    """A cap without its later names, and a field that no version has any more."""
    line = b'{"kind":"start","time":1,"step":0,"world_size":2,"power_cap":{"requested_watts":350},"gone":1}\n'
    assert from_line(line) == StartEvent(time=1.0, step=0, world_size=2, power_cap=EnforcedCap(None, None, None))


def test_every_field_says_what_it_holds():
    """The reference page is written from these words."""
    assert [own.name for kind in (Event, *KINDS.values()) for own in fields(kind) if not own.metadata["about"]] == []

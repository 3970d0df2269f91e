"""The strict door: YAML 1.2 scalars, every value with its place, all problems of a text at once."""

from __future__ import annotations

import pytest

from trainwright.spec.problem import InputError, Place
from trainwright.spec.yaml_source import MAX_BYTES, graft, parse, read, read_text


def refused(text: str) -> list[tuple[str, int, int]]:
    """Code, line and column of each problem of a text."""
    with pytest.raises(InputError) as caught:
        parse(text, "spec.yaml")
    return [(problem.code, problem.place.line, problem.place.column) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("1e5", 1e5),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("42", 42),
        ("-0", 0),
        ("+7", 7),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("1:30", "1:30"),
        ("24:00:00", "24:00:00"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("2024-01-01", "2024-01-01"),
        ("2024-13-45", "2024-13-45"),
        ('"4"', "4"),
        ("'true'", "true"),
        ("=", "="),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    """Numbers are numbers, and nothing else is turned into one, a truth or a date."""
    found = parse(f"key: {text}", "spec.yaml").plain["key"]
    assert found == value
    assert type(found) is type(value)


def test_every_value_and_key_knows_its_place():
    """Line, column, width and the text of the line, for keys, values and entries of lists."""
    tree = parse("a: 1\nlong: {b: [x, 'yy']}\n", "spec.yaml")
    entry = tree.child("long").child("b")
    assert entry.key == Place("spec.yaml", 2, 8, 1, "long: {b: [x, 'yy']}")
    assert entry.child(1).place == Place("spec.yaml", 2, 15, 4, "long: {b: [x, 'yy']}")
    assert tree.child("a").place.line == 1


def test_columns_count_characters_not_bytes():
    """A caret stands under the right letter after é and after emoji."""
    tree = parse("é: {😀: x}", "spec.yaml")
    assert tree.child("é").child("😀").place.column == 8


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_count_the_same_with_every_line_end(end):
    """Unix, Windows and old Macs: the same line numbers."""
    assert parse(f"a: 1{end}b: 2{end}", "spec.yaml").child("b").place.line == 2


def test_duplicate_keys_name_both_lines():
    """All of them, in every section, each with the line of the first."""
    with pytest.raises(InputError) as caught:
        parse("a: 1\nb: {c: 1, c: 2}\na: 3\n", "spec.yaml")
    assert [problem.message for problem in caught.value.problems] == [
        "the key `c` is a duplicate; first on line 2",
        "the key `a` is a duplicate; first on line 1",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &x 1\nb: *x\n", [("TW105", 1, 4), ("TW105", 2, 4)]),
        ("a: !!int 3\n", [("TW105", 1, 4)]),
        ("%YAML 1.1\n---\na: 1\n", [("TW105", 1, 1)]),
        ("a: .inf\nb: -.INF\nc: .nan\nd: 1e400\n", [("TW108", n, 4) for n in (1, 2, 3, 4)]),
        (f"a: {2**63}\n", [("TW108", 1, 4)]),
        ("a: 1\n---\nb: 1\n", [("TW107", 2, 1)]),
        ("", [("TW107", 1, 1)]),
        ("<<: {a: 1}\n", [("TW109", 1, 1)]),
        ("[a]: 1\n", [("TW109", 1, 1)]),
        ("a: |\n  x\n  y\n", [("TW103", 1, 4)]),
        ('a: "x\\ty"\n', [("TW103", 1, 4)]),
        ("a: b\u2028c\n", [("TW103", 1, 5)]),
        ("a: [1, 2\nb: 3\n", [("TW102", 1, 4)]),
        ("a:\n\tb: 1\n", [("TW102", 2, 1)]),
        ("[" * 14 + "]" * 14, [("TW106", 1, 14)]),
    ],
)
def test_what_the_subset_refuses_has_its_code_and_place(text, found):
    """Each trap of YAML is an error at the right line and column."""
    assert refused(text) == found


def test_the_largest_integer_of_64_bits_is_read_exactly():
    """No detour over floats."""
    assert parse(f"a: {2**63 - 1}", "spec.yaml").plain == {"a": 2**63 - 1}


def test_sequences_become_tuples_and_order_is_kept():
    """The frozen sections hold tuples; keys keep the order of the file."""
    assert parse("b: [1, [2]]\na: {}\n", "x").plain == {"b": (1, (2,)), "a": {}}
    assert list(parse("b: 1\na: 1\n", "x").plain) == ["b", "a"]


def test_files_that_cannot_be_a_spec_are_refused(tmp_path):
    """Missing, too large, not UTF-8, no mapping: one clear error each."""
    cases = {"large": b"#" * (MAX_BYTES + 1), "latin": b"a: caf\xe9", "list": b"- a"}
    codes = []
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read(path)
        codes.append(caught.value.problems[0].code)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "missing")
    assert [*codes, caught.value.problems[0].code] == ["TW106", "TW103", "TW107", "TW101"]


def test_a_byte_order_mark_is_no_text(tmp_path):
    """Windows editors write one; columns count without it."""
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_text(path) == "a: 1\n"
    assert read(path).child("a").place.column == 4


def test_grafted_values_carry_the_place_and_the_origin_of_their_preset():
    """A value of ours is shown where the user named the preset."""
    place = Place("spec.yaml", 3, 8)
    tree = graft({"a": {"b": [1]}}, place, "preset x")
    assert tree.plain == {"a": {"b": (1,)}}
    assert tree.child("a").child("b").place == place
    assert tree.child("a").child("b").origin == "preset x"

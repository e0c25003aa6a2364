"""Line numbers of keys, which TOML parsers do not keep."""

from __future__ import annotations

import tomllib

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from plotrun.settings.lines import line_numbers, nearest_line


def test_lines_of_everything_that_toml_may_hold() -> None:
    text = '''# a comment
a = 1

[plotrun]
  # another
keep = """
[not.a.table]
x = 1
"""   # behind it
list = [
  1,
  [2],
]
z.y = 3

[[job]]
name = "x"

[job.emit]
q = 1
[[job]]
inline = { a = 1, b = 2 }
[plugins.limits]
max = 2
[[job]]
name = "out of order"
'''
    assert line_numbers(text) == {
        ("a",): 2,
        ("plotrun",): 4,
        ("plotrun", "keep"): 6,
        ("plotrun", "list"): 10,
        ("plotrun", "z"): 14,
        ("plotrun", "z", "y"): 14,
        ("job", 0): 16,
        ("job", 0, "name"): 17,
        ("job", 0, "emit"): 19,
        ("job", 0, "emit", "q"): 20,
        ("job", 1): 21,
        ("job", 1, "inline"): 22,
        ("job", 1, "inline", "a"): 22,
        ("job", 1, "inline", "b"): 22,
        ("plugins", "limits"): 23,
        ("plugins", "limits", "max"): 24,
        ("job", 2): 25,
        ("job", 2, "name"): 26,
    }


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", {}),
        ("\n\n# only a comment", {}),
        ("a = 1", {("a",): 1}),
        ("\r\na = [\r\n 1,\r\n]\r\nb = 2\r\n", {("a",): 2, ("b",): 5}),
        ("a = '''\n[b]\n'''\nc = 1", {("a",): 1, ("c",): 4}),
        ('a = """\\\n  # no comment\n"""\nc = 1', {("a",): 1, ("c",): 4}),
        ('["a.b"."c # d"] # e\n"x = y" = 1', {("a.b", "c # d"): 1, ("a.b", "c # d", "x = y"): 2}),
        ("  [ a . b ]  \n  c.d = 1", {("a", "b"): 1, ("a", "b", "c"): 2, ("a", "b", "c", "d"): 2}),
        ("a = [\n[1],\n[2]]\nb = 1", {("a",): 1, ("b",): 4}),
        (
            "[[a]]\n[[a.b]]\n[[a.b]]\nc = 1\n[[a]]\n[[a.b]]",
            {
                ("a", 0): 1,
                ("a", 0, "b", 0): 2,
                ("a", 0, "b", 1): 3,
                ("a", 0, "b", 1, "c"): 4,
                ("a", 1): 5,
                ("a", 1, "b", 0): 6,
            },
        ),
    ],
)
def test_lines_of_what_is_written_oddly(text: str, lines: dict[object, int]) -> None:
    assert line_numbers(text) == lines


def test_a_value_in_an_inline_table_of_a_list_has_the_line_of_the_list() -> None:
    numbers = line_numbers('\njob = [\n  { name = "a" },\n  { name = "b" },\n]\n')
    assert nearest_line(numbers, ("job", 1, "name")) == 2
    assert nearest_line(numbers, ("odd",)) is None


def test_tables_in_tables_without_end_are_no_trouble() -> None:
    deep = ".".join("a" for _ in range(3000))
    numbers = line_numbers(f"{deep} = 1\n[b.{deep}]\nc = 2\n")
    assert nearest_line(numbers, ("a",) * 3000) == 1


NAMES = st.sampled_from(["name", "k", "dst", "a b", "a.b", "é", "", "#", "[x]", '"'])
SCALARS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.text(st.characters(codec="utf-8"), max_size=10),
    st.sampled_from(["\n[job]\n", "'''\n", '"""\n# x', "a = 1\n"]),
    st.dates(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
TABLE = st.dictionaries(NAMES, VALUES, max_size=4)
HEADERS = st.one_of(
    st.tuples(NAMES.filter(lambda name: name != "name")).map(lambda name: ("[%s]", name)),
    st.tuples(st.just("name"), NAMES).map(lambda names: ("[%s]", names)),
    st.just(("[[%s]]", ("job",))),
)


def key(name: str) -> str:
    return tomlkit.key(name).as_string()


def written(value: object) -> str:
    """A value, lists and texts over several lines where they may be."""
    if isinstance(value, list):
        return "".join(["[\n", *(f"  {written(item)}, # item\n" for item in value), "]"])
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        return tomlkit.string(value, multiline="\n" in value).as_string()
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(HEADERS, TABLE), max_size=4, unique_by=lambda part: part[0]))
def test_every_key_has_the_line_in_which_it_begins(
    parts: list[tuple[tuple[str, tuple[str, ...]], dict[str, object]]],
) -> None:
    rows: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    for (header, names), table in [*parts, *(part for part in parts if part[0][0] == "[[%s]]")]:
        rows.append(header % ".".join(map(key, names)))
        place: tuple[str | int, ...] = names
        if header == "[[%s]]":
            place = ("job", int(("job", 0) in expected))
        expected[place] = len(rows)
        for name, value in table.items():
            expected[(*place, name)] = len(rows) + 1
            rows += f"{key(name)} = {written(value)}".split("\n")
    text = "\n".join(rows)
    tomllib.loads(text)
    numbers = line_numbers(text)
    assert {place: numbers.get(place) for place in expected} == expected
    assert {place for place in numbers if nearest_line(expected, place) != numbers[place]} == set()

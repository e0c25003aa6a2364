"""settings.toml read: layers, ways of writing, line numbers, and anything else in the file."""

from __future__ import annotations

import contextlib
import json
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from plotrun import Job, puzzle_hash
from plotrun.keys import _BECH32_CHARSET, _BECH32M_CONSTANT, _polymod
from plotrun.manager import load_plugins
from plotrun.settings.lines import line_numbers
from plotrun.settings.load import job_as_written, load_settings
from plotrun.settings.problems import SettingsError
from plotrun.settings.settings import Settings
from plotrun.settings.types import read_duration, read_path, read_size

SCHEMA = load_plugins().schema()
EXAMPLE = Path(__file__).parents[1] / "settings.example.toml"


def load(text: str | bytes) -> Settings:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "settings.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_settings(file, SCHEMA)


def job(text: str) -> Job:
    base = '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/t"\ndst = "/d"\n'
    return load(base + text).jobs[0]


# Layers


def test_a_jobs_value_comes_from_the_nearest_layer() -> None:
    loaded = load("""
[defaults]
threads = 1
buckets = 16
nice = 5
dst = "/d"

[defaults.chia]
threads = 2
buckets = 32

[[job]]
name = "one"
plotter = "chia"
tmp = "/t"
threads = 3
""")
    sources = loaded.sources["one"]
    shown = {key: (sources[key].value, sources[key].place, sources[key].line) for key in sources}
    assert shown["threads"] == (3, "[[job]]", 16)
    assert shown["buckets"] == (32, "[defaults.chia]", 10)
    assert shown["nice"] == (5, "[defaults]", 5)
    assert shown["dst"] == ((Path("/d"),), "[defaults]", 6)
    assert shown["k"] == (32, "default", None)


def test_a_default_that_a_plotter_does_not_know_is_no_mistake() -> None:
    loaded = load(
        "[defaults]\nbuffer = 100\nstripe = 4096\n"
        '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/t"\ndst = "/d"\n'
    )
    assert "stripe" not in loaded.sources["one"]


def test_the_plotter_itself_may_be_a_default() -> None:
    loaded = load('[defaults]\nplotter = "chia"\n[[job]]\nname = "one"\ntmp = "/t"\ndst = "/d"\n')
    assert loaded.jobs[0].plotter == "chia"


def test_a_job_is_read_back_as_it_was_written() -> None:
    read = job('k = 25\ntmp2 = ["/x", "/y"]\npost_command = "echo %plot%"\nmax_workers = 3\n')
    again = job_as_written(json.loads(json.dumps(dict(read.written))), SCHEMA)
    assert again == read
    assert again is not None
    assert again.sections == read.sections


def test_a_job_of_a_plotter_that_has_gone_cannot_be_read_back() -> None:
    assert job_as_written(dict(job("").written) | {"plotter": "gone"}, SCHEMA) is None


# Ways of writing


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("90s", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("2d", 172_800),
        ("1w", 604_800),
        (0, 0),
    ],
)
def test_durations(text: str | int, seconds: float) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("110GiB", 110 * 2**30),
        ("500MB", 500_000_000),
        ("500 mb", 500_000_000),
        ("1.5TB", 1_500_000_000_000),
        ("4KiB", 4096),
        ("12B", 12),
        (0, 0),
    ],
)
def test_sizes(text: str | int, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "m", "5 minutes", "-5m", "1h-5m", "GiB", None, True, 5])
def test_neither_durations_nor_sizes(text: object) -> None:
    for read in (read_duration, read_size):
        with pytest.raises(ValueError, match=r"."):
            read(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_any_duration_may_be_written_in_parts(duration: timedelta) -> None:
    seconds = int(duration.total_seconds())
    text = f"{seconds // 86400}d{seconds // 3600 % 24}h{seconds // 60 % 60}m{seconds % 60}s"
    assert read_duration(text) == seconds


@given(st.integers(0, 2**50), st.sampled_from(["B", "kB", "MB", "GiB", "TiB"]))
def test_any_size_may_be_written_with_its_unit(number: int, unit: str) -> None:
    assert read_size(f"{number}{unit}") == read_size(f"1{unit}") * number


def test_one_path_or_several() -> None:
    assert job('tmp2 = "/x"').tmp2 == (Path("/x"),)
    assert job('tmp2 = ["/x", "/y"]').tmp2 == (Path("/x"), Path("/y"))
    assert job('tmp2 = "dst"').tmp2_in_dst


def test_the_home_directory_and_dots_in_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert read_path("~/plots/../x/") == Path("/home/me/x")


# Lines


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


# Anything


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_settings_or_a_message(data: bytes) -> None:
    with contextlib.suppress(SettingsError):
        load(data)


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**40), 2**40),
        st.text(max_size=8),
        st.sampled_from(["/t", "chia", "chiapos", "dst", "30m", "%plot%", "%plto%"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)
KEYS = st.sampled_from([*SCHEMA.job_keys(None), "unknown", "blocked", "limits", "chia"])
TABLE = st.dictionaries(KEYS, VALUES, max_size=5)


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {as_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value)


@settings(max_examples=300, deadline=None)
@given(
    tables=st.dictionaries(st.sampled_from(["plotrun", "defaults", "plugins", "odd"]), TABLE),
    jobs=st.lists(TABLE, max_size=3),
)
def test_any_values_are_settings_or_a_message_for_each_mistake(
    tables: dict[str, dict[str, object]], jobs: list[dict[str, object]]
) -> None:
    text = ""
    for header, table in [
        *((f"[{n}]", t) for n, t in tables.items()),
        *(("[[job]]", t) for t in jobs),
    ]:
        text += header + "\n" + "".join(f"{k} = {as_toml(v)}\n" for k, v in table.items())
    assume("\\ud" not in text)  # JSON escapes halves of characters, which TOML has no way to write
    try:
        load(text)
    except SettingsError as error:
        for problem in error.problems:
            assert problem.line is None or 1 <= problem.line <= text.count("\n") + 1
            assert problem.expected


@settings(max_examples=80, deadline=None)
@given(
    plots=st.integers(0, 10**6),
    k=st.integers(18, 50),
    nice=st.integers(-20, 19),
    tmp=st.lists(
        st.text("abc é'\"$`;\n", min_size=1, max_size=8), min_size=1, max_size=3, unique=True
    ),
)
def test_right_values_are_read_as_they_were_meant(
    plots: int, k: int, nice: int, tmp: list[str]
) -> None:
    paths = [f"/t/{name}" for name in tmp]
    read = load(
        '[[job]]\nname = "one"\nplotter = "chia"\ndst = "/d"\n'
        f"plots = {plots}\nk = {k}\nnice = {nice}\ntmp = {json.dumps(paths)}\n"
    ).jobs[0]
    assert (read.plots, read.nice, [str(path) for path in read.tmp]) == (plots, nice, paths)


# Addresses


def address(data: bytes, prefix: str = "xch") -> str:
    """A bech32m address (BIP 350), written as the standard says."""
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[at : at + 5], 2) for at in range(0, len(bits), 5)]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    checksum = _polymod([*expanded, *values, 0, 0, 0, 0, 0, 0]) ^ _BECH32M_CONSTANT
    values += [checksum >> 5 * (5 - at) & 31 for at in range(6)]
    return f"{prefix}1" + "".join(_BECH32_CHARSET[value] for value in values)


def test_an_address_that_chia_wrote() -> None:
    known = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
    assert puzzle_hash(known) == bytes(range(32))
    assert address(bytes(range(32))) == known


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["xch", "txch"]))
def test_every_address_is_read_back(data: bytes, prefix: str) -> None:
    assert puzzle_hash(address(data, prefix)) == data
    assert puzzle_hash(address(data, prefix).upper()) == data


@given(st.binary(max_size=60).filter(lambda data: len(data) != 32))
def test_an_address_of_another_length_is_none(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"bytes, not 32|begin"):
        puzzle_hash(address(data))


@given(st.binary(min_size=32, max_size=32), st.data())
def test_one_wrong_character_is_found(data: bytes, draw: st.DataObject) -> None:
    good = address(data)
    at = draw.draw(st.integers(4, len(good) - 1))
    other = draw.draw(st.sampled_from(_BECH32_CHARSET).filter(lambda char: char != good[at]))
    with pytest.raises(ValueError, match="checksum"):
        puzzle_hash(good[:at] + other + good[at + 1 :])


# The example


def test_the_example_is_right_and_names_every_key() -> None:
    text = EXAMPLE.read_text("utf-8")
    assert load(text).jobs[0].name == "first"
    built_in = {
        name for name, plotter in SCHEMA.plotters.items() if name not in ("chiapos", "pos2")
    }
    keys = set(SCHEMA.general)
    for plotter in built_in:
        keys |= set(SCHEMA.job_keys(plotter))
    for plugin in ("limits", "backoff"):
        keys |= set(SCHEMA.section_keys(plugin))
    words = {line.lstrip("# ").split(" = ")[0] for line in text.splitlines() if " = " in line}
    assert keys - words == set()


def test_what_the_example_comments_out_is_right_as_well() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    keys = {*SCHEMA.general, *SCHEMA.job_keys("chia"), "max_workers", "blocked"}
    keys |= set(SCHEMA.section_keys("backoff"))
    both = ("pool_public_key",)  # only one of the two may be given
    switched_on = [
        line[2:]
        if line.startswith("# ") and (key := line[2:].split(" = ")[0]) in keys and key not in both
        else line
        for line in lines
    ]
    loaded = load("\n".join(switched_on).replace("cpu_affinity = [0, 1]", "cpu_affinity = [0]"))
    assert loaded.jobs[0].cpu_affinity == (0,)
    assert len(loaded.jobs[0].written) > 20


def test_the_page_of_settings_is_made_from_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setenv("PLOTRUN_NO_ENTRY_POINTS", "1")
    script = EXAMPLE.parent / "docs" / "make_settings.py"
    spec = importlib.util.spec_from_file_location("make_settings", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (EXAMPLE.parent / "docs" / "settings.md").read_text("utf-8")
    assert module.page(page) == page

"""Anything at all as settings: read, or refused with a message, and never more than that."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from plotrun import Job
from plotrun.builtin.backoff import BackoffSettings
from plotrun.builtin.chia import ChiaKeys
from plotrun.builtin.commands import CommandKeys
from plotrun.builtin.limits import LimitsJobKeys, LimitsSettings
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import Problem, SettingsError
from plotrun.settings.schema import JobKeys
from plotrun.settings.settings import Settings
from plotrun.words import duration_words

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PLOTRUN_NO_ENTRY_POINTS", "1")
    SCHEMA = load_plugins().schema()


def load(data: bytes) -> Settings:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "settings.toml"
        file.write_bytes(data)
        return load_settings(file, SCHEMA)


def mistakes(data: bytes) -> tuple[Problem, ...]:
    """What is wrong with it; nothing but a `SettingsError` may be raised."""
    try:
        load(data)
    except SettingsError as error:
        found = error.problems
    else:
        return ()
    assert found
    for problem in found:
        (row,) = str(problem).splitlines()
        assert row.isprintable()
        assert problem.expected
        assert problem.line is None or 1 <= problem.line <= data.count(b"\n") + 1
    return found


# Wrong ones

PIECES = st.sampled_from(
    [
        *(b"[[job]]\n", b"[job]\n", b"[plotrun]\n", b"[defaults.chia]\n", b"[plugins]\n"),
        *(b'name = "one"\n', b'plotter = "chia"\n', b'tmp = "/t"\n', b'dst = "/d"\n'),
        *(b"k = 0x" + b"f" * 5000 + b"\n", b"a = [", b"]\n", b"'''", b'"""', b"a.b.c = 1\n"),
        *(b"blocked = []\n", b"\xff", b"\xef\xbb\xbf", b"\0", b"\r\n", b"k = 2026-11-20\n"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_settings_or_a_message(data: bytes) -> None:
    mistakes(data)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=4), max_size=12).map(b"".join))
def test_any_pieces_of_settings_are_settings_or_a_message(data: bytes) -> None:
    mistakes(data)


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.dates(),
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.sampled_from(["/t", "chia", "madmax", "dst", "~", "30m", "%plot%", "%plto%", "'"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = [*SCHEMA.general, *SCHEMA.all_job_keys(), "blocked", "limits", "chia", "unknown", "a b"]
TABLE = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
TABLES = st.dictionaries(
    st.sampled_from(["plotrun", "defaults", "plugins", "odd"]), TABLE | VALUES, max_size=3
)


def as_toml(value: object) -> str:
    if isinstance(value, dict):
        rows = (f"{tomlkit.key(k).as_string()} = {as_toml(v)}" for k, v in value.items())
        return f"{{{', '.join(rows)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    return tomlkit.item(value).as_string()


def written(tables: dict[str, object]) -> bytes:
    """Tables and lists of tables with headers, what is no table at the beginning."""
    first, rest = "", ""
    for name, table in tables.items():
        parts = table if isinstance(table, list) else [table]
        if not parts or not all(isinstance(part, dict) for part in parts):
            first += f"{name} = {as_toml(table)}\n"
            continue
        for part in parts:
            rest += f"[[{name}]]\n" if isinstance(table, list) else f"[{name}]\n"
            rest += "".join(
                f"{tomlkit.key(k).as_string()} = {as_toml(v)}\n" for k, v in part.items()
            )
    return (first + rest).encode()


@settings(max_examples=300, deadline=None)
@given(tables=TABLES, jobs=st.lists(TABLE, max_size=3) | VALUES)
def test_any_values_are_settings_or_a_message_for_each_mistake(
    tables: dict[str, object], jobs: object
) -> None:
    found = mistakes(written({**tables, "job": jobs}))
    assert len(set(found)) == len(found), "each is told once"
    numbers = [problem.line or 0 for problem in found]
    assert numbers == sorted(numbers)


BASE = {"name": "one", "plotter": "chia", "tmp": "/temporary", "dst": "/d"}


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SCHEMA.job_keys("chia"))), VALUES)
def test_a_wrong_value_in_a_job_is_told_with_its_key_and_line(key: str, value: object) -> None:
    data = written({"job": [BASE | {key: value}]})
    line = next(
        number
        for number, row in enumerate(data.decode().split("\n"), 1)
        if row.startswith(f"{key} = ")
    )
    for problem in mistakes(data):
        if problem.found != "nothing":  # what another plotter would need besides
            assert (problem.key, problem.line) == (f"job.{key}", line)


# Right ones

PATHS = st.text("abc é'\"$`;\\\n", min_size=1, max_size=8).map("/t/{}".format)
COMMANDS = st.sampled_from(["chia", "/opt/my chia", "cd ~ && chia plots create", "a 'b'"])


def job_keys(**keys: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=keys)


JOBS = job_keys(
    plots=st.integers(0, 2**63 - 1),
    enabled=st.booleans(),
    k=st.integers(18, 50),
    threads=st.integers(1, 1000),
    buffer=st.integers(1, 10**6),
    bitfield=st.booleans(),
    nice=st.integers(-20, 19),
    io_priority=st.sampled_from(["idle", "low", "normal", "high"]),
    deliver=st.sampled_from(["plotrun", "plotter"]),
    max_workers=st.integers(1, 99),
    command=COMMANDS,
    post_command=st.sampled_from(["echo %plot%", "date +%H%M", "mv '%plot%' \"%dst%/x\""]),
    tmp=PATHS | st.lists(PATHS, min_size=1, max_size=3, unique=True),
    tmp2=PATHS | st.lists(PATHS, min_size=1, max_size=3, unique=True),
)


def value_of(job: Job, key: str) -> object:
    """A job's value as it would be written."""
    for model in (JobKeys, ChiaKeys, CommandKeys, LimitsJobKeys):
        if hasattr(job.keys(model), key):
            value = getattr(job.keys(model), key)
            return [str(path) for path in value] if isinstance(value, tuple) else value
    raise KeyError(key)


@settings(max_examples=150, deadline=None)
@given(general=JOBS, of_chia=JOBS, jobs=st.lists(JOBS, min_size=1, max_size=3))
def test_right_values_are_read_as_they_were_meant(
    general: dict[str, object], of_chia: dict[str, object], jobs: list[dict[str, object]]
) -> None:
    tables = [BASE | keys | {"name": f"job{at}"} for at, keys in enumerate(jobs)]
    read = load(written({"job": tables, "defaults": {**general, "chia": of_chia}}))
    for job, keys in zip(read.jobs, tables, strict=True):
        for key, value in {**general, **of_chia, **keys}.items():
            as_list = isinstance(value, str) and key in ("tmp", "tmp2", "dst")
            assert value_of(job, key) == ([value] if as_list else value)
            table = "[[job]]" if key in keys else "[defaults.chia]"
            table = table if key in keys or key in of_chia else "[defaults]"
            assert read.sources[job.name][key].place == table


@settings(max_examples=50, deadline=None)
@given(
    keep_logs=st.booleans() | st.integers(0, 10**6),
    copies=st.integers(1, 99),
    wait=st.integers(0, 10**6),
    pause=st.integers(0, 99),
    workers=st.integers(1, 99),
)
def test_right_general_values_are_read_as_they_were_meant(
    keep_logs: int, copies: int, wait: int, pause: int, workers: int
) -> None:
    tables = {
        "job": [BASE],
        "plotrun": {"keep_logs": keep_logs, "copies_per_disk": copies, "state_dir": "/s"},
        "plugins": {
            "backoff": {"first_wait": f"{wait}s", "pause_after": pause},
            "limits": {"max_workers": workers},
        },
    }
    read = load(written(tables))
    assert read.general.keep_logs is keep_logs or read.general.keep_logs == keep_logs
    assert (read.general.copies_per_disk, read.state_dir) == (copies, Path("/s"))
    assert read.section(BackoffSettings) == BackoffSettings(first_wait=wait, pause_after=pause)
    assert read.section(LimitsSettings) == LimitsSettings(workers)


def test_a_duration_in_words_is_read_as_a_duration() -> None:
    for seconds in (0, 45, 90, 3600, 5400, 100_000):
        text = f'[plotrun]\ndisk_timeout = "{duration_words(seconds)}"\n'
        read = load((text).encode() + written({"job": [BASE]}))
        assert read.general.disk_timeout == pytest.approx(seconds, rel=0.05)

"""settings.toml read: layers of defaults, ways of writing values, the example, the page."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotrun import Help, Job, KeyProblem, SettingsSection
from plotrun.builtin.chia import ChiaPlotter
from plotrun.manager import load_plugins
from plotrun.settings.load import job_as_written, load_settings
from plotrun.settings.schema import JobKeys, Schema
from plotrun.settings.settings import Settings
from plotrun.settings.types import read_duration, read_path, read_paths, read_size

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PLOTRUN_NO_ENTRY_POINTS", "1")
    SCHEMA = load_plugins().schema()
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "settings.example.toml"
KEY = (
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905"
    "a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
JOB = '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/t"\ndst = "/d"\n'


@pytest.fixture
def load(tmp_path: Path) -> Any:
    def load(text: str, schema: Schema = SCHEMA) -> Settings:
        file = tmp_path / "settings.toml"
        file.write_bytes(text.encode())
        return load_settings(file, schema)

    return load


# Layers


LAYERS = """\
[defaults]
threads = 1
buckets = 16
nice = 5
dst = "/d"
plotter = "chia"

[defaults.chia]
threads = 2
buckets = 32

[[job]]
name = "one"
tmp = "/t"
threads = 3
"""


def test_a_jobs_value_comes_from_the_nearest_layer(load: Any) -> None:
    sources = load(LAYERS).sources["one"]
    shown = {key: (sources[key].value, sources[key].place, sources[key].line) for key in sources}
    assert shown["threads"] == (3, "[[job]]", 15)
    assert shown["buckets"] == (32, "[defaults.chia]", 10)
    assert shown["nice"] == (5, "[defaults]", 4)
    assert shown["dst"] == ((Path("/d"),), "[defaults]", 5)
    assert shown["plotter"] == ("chia", "[defaults]", 6)
    assert shown["k"] == (32, "default", None)
    assert set(shown) == set(SCHEMA.job_keys("chia"))


def test_a_jobs_values_are_those_that_are_told(load: Any) -> None:
    (job,) = load(LAYERS).jobs
    chia = job.keys(ChiaPlotter.keys)
    assert (job.plotter, chia.threads, chia.buckets, job.nice) == ("chia", 3, 32, 5)
    assert (job.dst, chia.k, job.keys(JobKeys).enabled) == ((Path("/d"),), 32, True)


def test_defaults_of_another_plotter_do_not_matter(load: Any) -> None:
    loaded = load("[defaults.madmax]\nthreads = 9\nnice = 3\n" + JOB)
    assert loaded.sources["one"]["threads"].place == "default"
    assert loaded.jobs[0].nice is None


def test_a_default_that_a_plotter_does_not_know_is_no_mistake(load: Any) -> None:
    loaded = load("[defaults]\nbuffer = 100\nbuckets3 = 512\n" + JOB)
    assert "buckets3" not in loaded.sources["one"]


def test_a_default_may_be_right_for_one_plotter_only(load: Any) -> None:
    keys = f'farmer_public_key = "{KEY}"\npool_public_key = "{KEY}"\n'
    loaded = load("[defaults]\nbuckets = 512\n" + JOB.replace("chia", "madmax") + keys)
    assert loaded.sources["one"]["buckets"].value == 512


def test_jobs_are_found_by_name(load: Any) -> None:
    loaded = load(JOB + JOB.replace("one", "two"))
    assert [job.name for job in loaded.jobs] == ["one", "two"]
    assert loaded.job("two") is loaded.jobs[1]
    assert loaded.job("three") is None


def test_a_file_that_begins_with_the_mark_of_windows_and_ends_lines_its_way(load: Any) -> None:
    loaded = load("\ufeff" + (JOB + "k = 25\n").replace("\n", "\r\n"))
    assert loaded.sources["one"]["k"].line == 6


def test_general_keys_and_sections_have_defaults(load: Any) -> None:
    from plotrun.builtin.backoff import BackoffSettings

    loaded = load('[plugins.backoff]\nfirst_wait = "30s"\n' + JOB)
    assert loaded.section(BackoffSettings) == BackoffSettings(first_wait=30)
    assert loaded.general.keep_logs is True
    assert loaded.log_dir == loaded.state_dir / "logs"
    assert load('[plotrun]\nlog_dir = "/l"\nstate_dir = "/s"\n' + JOB).log_dir == Path("/l")


def test_the_section_of_a_blocked_plugin_may_stay(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('[plugins]\nblocked = ["limits"]\n[plugins.limits]\nmax_workers = 2\n' + JOB)
    loaded = load_settings(file, load_plugins(frozenset({"limits"})).schema())
    assert loaded.blocked == {"limits"}


# What a worker was started with


def again(job: Job, schema: Schema = SCHEMA) -> Job | None:
    """The job of a worker, after its settings have been to the store and back."""
    return job_as_written(json.loads(json.dumps(dict(job.written))), schema)


def test_a_job_is_read_back_as_it_was_written(load: Any) -> None:
    text = LAYERS + 'k = 25\ntmp2 = ["/x", "/y"]\npost_command = "echo %plot%"\nmax_workers = 3\n'
    (job,) = load(text + 'cpu_affinity = [0]\nio_priority = "low"\nfingerprint = 5\n').jobs
    assert again(job) == job
    assert again(job).sections == job.sections  # type: ignore[union-attr]
    assert job.written["nice"] == 5, "defaults of the file are written as well"


def test_a_job_of_a_plotter_that_has_gone_cannot_be_read_back() -> None:
    written = {"name": "one", "plotter": "gone", "tmp": "/t", "dst": "/d"}
    assert job_as_written(written, SCHEMA) is None
    assert job_as_written(written | {"plotter": "chia"}, SCHEMA) is not None
    assert job_as_written(written | {"plotter": "chia", "gone": 1}, SCHEMA) is None
    assert job_as_written({}, SCHEMA) is None


@dataclass(frozen=True)
class DatedKeys:
    k: Annotated[int, Help("Size.")] = 32
    newer_than: Annotated[date | None, Help("A day.")] = None


class DatedPlotter(ChiaPlotter):
    name: ClassVar[str] = "dated"
    keys: ClassVar[type] = DatedKeys

    def check(self, values: Any) -> Iterable[KeyProblem]:
        return ()


def test_a_date_survives_the_store(load: Any) -> None:
    schema = Schema([DatedPlotter()], [SettingsSection("nothing")])
    (job,) = load(JOB.replace("chia", "dated") + "newer_than = 2026-11-20\n", schema).jobs
    assert job.keys(DatedKeys).newer_than == date(2026, 11, 20)
    read = again(job, schema)
    assert read is not None
    assert read.sections == job.sections


# Ways of writing


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30m", 1800),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        (" 90 s ", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("2d", 172_800),
        ("1w", 604_800),
        ("0s", 0),
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
        ("0.1kB", 100),
        ("12B", 12),
        (0, 0),
    ],
)
def test_sizes(text: str | int, size: int) -> None:
    assert read_size(text) == size


NEITHER: list[object] = [
    *["", "5", 5, 1.5, "m", "5 minutes", "-5m", "1h-5m", "1,5h", "1h 5", "GiB", "1e3B", "٥m", "٥B"],
    *[None, True, False, [], ["1m"], {}, "9" * 400 + "w", "9" * 400 + "GiB"],
]


@pytest.mark.parametrize("text", NEITHER)
def test_neither_durations_nor_sizes(text: object) -> None:
    for read in (read_duration, read_size):
        with pytest.raises(ValueError, match=r"."):
            read(text)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_any_duration_may_be_written_in_parts(duration: timedelta) -> None:
    seconds = int(duration.total_seconds())
    text = f"{seconds // 86400}d{seconds // 3600 % 24}h{seconds // 60 % 60}m{seconds % 60}s"
    assert read_duration(text) == seconds


@given(st.integers(0, 2**20), st.sampled_from(["B", "kB", "MB", "GiB", "TiB"]))
def test_any_size_may_be_written_with_its_unit(number: int, unit: str) -> None:
    assert read_size(f"{number}{unit}") == read_size(f"1{unit}") * number


def test_one_path_or_several(load: Any) -> None:
    assert load(JOB + 'tmp2 = "/x"').jobs[0].tmp2 == (Path("/x"),)
    assert load(JOB + 'tmp2 = ["/x", "/y"]').jobs[0].tmp2 == (Path("/x"), Path("/y"))
    assert load(JOB).jobs[0].tmp2 == ()


def test_tmp2_may_follow_the_destination(load: Any) -> None:
    (job,) = load(JOB + 'tmp2 = "dst"').jobs
    assert job.tmp2_in_dst
    assert job.tmp2 == ()
    assert again(job) == job


def test_the_home_directory_dots_and_slashes_in_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert read_path("~/plots/../x/") == Path("/home/me/x")
    assert read_path("//mnt///a/./b/") == Path("/mnt/a/b")
    assert read_paths(["~", "/"]) == (Path("/home/me"), Path("/"))


def test_a_public_key_may_be_written_as_other_programs_do(load: Any) -> None:
    (job,) = load(JOB + f'farmer_public_key = "0x{KEY.upper()}"').jobs
    assert job.keys(ChiaPlotter.keys).farmer_public_key == KEY
    assert again(job) == job


# The example


def keys_of_the_example() -> set[str]:
    rows = EXAMPLE.read_text("utf-8").splitlines()
    return {row.lstrip("# ").split(" = ")[0] for row in rows if " = " in row}


def test_the_example_is_right_and_names_every_key(load: Any) -> None:
    assert [job.name for job in load(EXAMPLE.read_text("utf-8")).jobs] == ["first"]
    keys = {"blocked", *SCHEMA.general, *SCHEMA.all_job_keys()}
    for plugin in SCHEMA.plugins:
        keys |= set(SCHEMA.section_keys(plugin))
    assert keys - keys_of_the_example() == set()


def test_the_example_has_every_section() -> None:
    rows = EXAMPLE.read_text("utf-8").splitlines()
    sections = {f"[plugins.{name}]" for name in SCHEMA.plugins if SCHEMA.section_keys(name)}
    assert sections | {"[plotrun]", "[defaults]", "[plugins]", "[[job]]"} <= set(rows)


@pytest.mark.parametrize("plotter", sorted(SCHEMA.plotters))
def test_what_the_example_comments_out_is_right_as_well(plotter: str, load: Any) -> None:
    keys = {"blocked", *SCHEMA.general, *SCHEMA.job_keys(plotter)}
    for plugin in SCHEMA.plugins:
        keys |= set(SCHEMA.section_keys(plugin))
    keys.remove("pool_public_key")  # one of the two may be given
    rows = [
        row[2:] if row.startswith("# ") and row[2:].split(" = ")[0] in keys else row
        for row in EXAMPLE.read_text("utf-8").splitlines()
    ]
    text = "\n".join(rows).replace("cpu_affinity = [0, 1]", "cpu_affinity = [0]")
    (job,) = load(text.replace('plotter = "chia"', f'plotter = "{plotter}"')).jobs
    assert set(SCHEMA.job_keys(plotter)) - set(job.written) <= {"pool_public_key"}


# The page


def test_the_page_of_settings_is_made_from_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLOTRUN_NO_ENTRY_POINTS", "1")
    spec = importlib.util.spec_from_file_location("make_settings", ROOT / "docs/make_settings.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert module.page(page) == page
    for key in (*SCHEMA.general, *SCHEMA.all_job_keys()):
        assert f"| `{key}` |" in page

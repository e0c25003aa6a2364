"""Which plots a policy lets go, in which order, and never more than are needed."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import Farm
from plotrun import FoundPlot, PlotFacts, PlotFormat
from plotrun.builtin.replot import ReplotKeys
from plotrun.builtin.replot.forecast import Shelf, steps
from plotrun.builtin.replot.policy import (
    YEAR,
    Before,
    Policy,
    Pools,
    Sorted,
    plan,
    rank,
    read_before,
    sort_out,
    why_stays,
)
from plotrun.manager import load_plugins
from plotrun.settings.load import job_as_written, load_settings
from plotrun.settings.problems import SettingsError

NOW = datetime(2026, 11, 21, 12).timestamp()
OG, CONTRACT, OTHER = bytes(48), bytes(32), bytes([1]) * 32


def facts(
    plot_format: PlotFormat = PlotFormat.V1,
    k: int = 32,
    compression: int | None = 0,
    pool: bytes | None = CONTRACT,
) -> PlotFacts:
    return PlotFacts("ab" * 32, k, plot_format, compression, pool)


def plot(name: str = "x", years: float = 3, size: int = 100, **of: Any) -> FoundPlot:
    made = int((NOW - years * YEAR) * 1e9)
    return FoundPlot(Path("/dst"), name, facts(**of), size, size, made, 1, 1)


V1, C, V2 = PlotFormat


@pytest.mark.parametrize(
    ("policy", "of", "reason"),
    [
        ({}, {}, None),
        ({"before": Before("", at=NOW)}, {"years": 0.1}, None),
        ({"before": Before("2020", at=NOW - 4 * YEAR)}, {}, "not made before 2020"),
        ({"before": Before("3y", age=3 * YEAR)}, {"years": 3}, "not made before 3y"),
        ({"before": Before("3y", age=3 * YEAR)}, {"years": 3.01}, None),
        ({"formats": (V1,)}, {}, None),
        ({"formats": (V1,)}, {"plot_format": C}, "its format is v1-compressed"),
        ({"formats": (V1, C)}, {"plot_format": C}, None),
        ({"formats": (V1, C)}, {"plot_format": V2}, "its format is v2"),
        ({"max_k": 32}, {"k": 32}, None),
        ({"max_k": 32}, {"k": 33}, "its k is above 32"),
        ({"pool": Pools(og_only=True)}, {"pool": OG}, None),
        ({"pool": Pools(og_only=True)}, {}, "it is for a contract"),
        ({"pool": Pools(og_only=True)}, {"pool": None}, "its pool is not known"),
        ({"pool": Pools(staying=(CONTRACT,))}, {}, "it is for a contract whose plots stay"),
        ({"pool": Pools(staying=(CONTRACT,))}, {"pool": OTHER}, None),
        ({"pool": Pools(staying=(CONTRACT,))}, {"pool": OG}, None),
        ({"pool": Pools(staying=(CONTRACT,))}, {"pool": None}, "its pool is not known"),
        ({"compression": (0, 1)}, {"compression": 1, "plot_format": C}, None),
        ({"compression": (0, 1)}, {"compression": 5}, "its compression is 5"),
        ({"compression": (0,)}, {"compression": None}, "its compression is not known"),
        ({"formats": (V1,), "max_k": 31}, {}, "its k is above 31"),
    ],
)
def test_what_a_policy_lets_go(
    policy: dict[str, Any], of: dict[str, Any], reason: str | None
) -> None:
    found = plot(**of)
    assert why_stays(Policy(**policy), found.facts, found.made_at, NOW) == reason


def test_the_oldest_goes_first_or_the_worst() -> None:
    plots = [
        plot("v2 og", 9, plot_format=V2, pool=OG),
        plot("v1 new", 1),
        plot("c5", 8, plot_format=C, compression=5),
        plot("c1", 7, plot_format=C, compression=1),
        plot("gigahorse", 9, plot_format=C, compression=None),
        plot("v1 og", 1, pool=OG),
        plot("v1 old", 2),
        plot("c9 og", 1, plot_format=C, compression=9, pool=OG),
    ]
    found = sort_out(Policy(order="worst first"), plots, NOW, lambda _: None)
    assert [each.name for each in found.may_go] == [
        *("v1 og", "v1 old", "v1 new", "c9 og", "c1", "c5", "gigahorse", "v2 og")
    ]
    oldest = sort_out(Policy(), plots, NOW, lambda _: None).may_go
    assert [each.made_at for each in oldest] == sorted(each.made_at for each in plots)


def test_why_the_others_stay_is_counted() -> None:
    plots = [plot("a"), plot("b", k=33), plot("c", k=34), plot("d", 1)]
    policy = Policy(max_k=32, before=Before("2y", age=2 * YEAR))
    assert sort_out(policy, plots, NOW, lambda _: "in hand") == Sorted(
        (), {"in hand": 1, "its k is above 32": 2, "not made before 2y": 1}, 4
    )


def sizes(*wanted: int) -> Sorted:
    plots = tuple(plot(str(n), 9 - n, size) for n, size in enumerate(wanted))
    return Sorted(plots, {}, len(plots))


@pytest.mark.parametrize(
    ("found", "lacking", "going"),
    [
        ((100, 100, 100), 1, "0"),
        ((100, 100, 100), 100, "0"),
        ((100, 100, 100), 101, "01"),
        ((10, 20, 100), 100, "2"),  # the small ones are not needed when the large one goes
        ((10, 95, 20), 100, "01"),
        ((30, 30, 30, 30), 100, "0123"),
        ((30, 30, 30), 100, ""),
        ((100,), 0, ""),
        ((0, 100), 50, "1"),  # a sparse one frees nothing
    ],
)
def test_no_more_go_than_are_needed(found: tuple[int, ...], lacking: int, going: str) -> None:
    planned = plan(Policy(), sizes(*found), lacking, None, lambda _: None)
    assert "".join(each.name for each in planned.go) == going
    assert bool(planned.problem) == (not going)


@pytest.mark.parametrize(
    ("keep", "left", "problem"),
    [
        (0, None, ""),
        (1, None, ""),
        (2, None, "keep_at_least is 2"),
        (0, 2, ""),
        (0, 1, "the limit for a day is reached"),
        (0, 0, "the limit for a day is reached"),
    ],
)
def test_keep_at_least_and_the_limit(keep: int, left: int | None, problem: str) -> None:
    planned = plan(Policy(keep_at_least=keep), sizes(50, 50, 50), 100, left, lambda _: None)
    assert planned.problem == problem
    assert len(planned.go) == (0 if problem else 2)


def test_one_that_is_open_stays_and_another_goes() -> None:
    asked: list[str] = []

    def why_open(each: FoundPlot) -> str | None:
        asked.append(each.name)
        return "open" if each.name == "0" else None

    planned = plan(Policy(), sizes(100, 100, 100), 100, None, why_open)
    assert [each.name for each in planned.go] == ["1"]
    assert asked == ["0", "1"]  # no others: asking takes its time


found_plots = st.lists(
    st.builds(
        plot,
        years=st.floats(0, 6),
        size=st.integers(0, 300),
        plot_format=st.sampled_from(list(PlotFormat)),
        k=st.integers(30, 34),
        compression=st.sampled_from([None, 0, 1, 5]),
        pool=st.sampled_from([None, OG, CONTRACT, OTHER]),
    ),
    max_size=12,
).map(lambda plots: [replace(each, name=str(n), inode=n) for n, each in enumerate(plots)])
policies = st.builds(
    Policy,
    before=st.none() | st.builds(Before, st.just("b"), at=st.floats(NOW - 6 * YEAR, NOW)),
    formats=st.none() | st.lists(st.sampled_from(list(PlotFormat)), min_size=1).map(tuple),
    pool=st.none() | st.sampled_from([Pools(og_only=True), Pools(staying=(CONTRACT,))]),
    max_k=st.none() | st.integers(30, 34),
    compression=st.none() | st.just((0, 1)),
    keep_at_least=st.integers(0, 6),
    order=st.sampled_from(["oldest", "worst first"]),
)


@given(
    found_plots,
    policies,
    st.integers(0, 900),
    st.none() | st.integers(0, 3),
    st.sets(st.integers(0, 12)),
)
def test_whatever_the_farm_only_what_may_go_goes_and_all_of_it_is_needed(
    plots: list[FoundPlot], policy: Policy, lacking: int, left: int | None, opened: set[int]
) -> None:
    def why_open(each: FoundPlot) -> str | None:
        return "open" if each.inode in opened else None

    found = sort_out(policy, plots, NOW, lambda each: "core" if each.inode == 3 else None)
    assert found.all == len(plots)
    assert len(found.may_go) + sum(found.staying.values()) == len(plots)
    planned = plan(policy, found, lacking, left, why_open)
    for each in planned.go:
        assert each.inode not in opened | {3}
        assert why_stays(policy, each.facts, each.made_at, NOW) is None
    if planned.go:
        freed = sum(each.allocated for each in planned.go)
        assert freed >= lacking > 0
        assert all(freed - each.allocated < lacking for each in planned.go)
        assert len(plots) - len(planned.go) >= policy.keep_at_least
        assert left is None or len(planned.go) <= left
        # Nothing that stays and could go in the place of all of them comes before the first.
        ranks = [rank(policy, each) for each in planned.go]
        assert ranks == sorted(ranks)
    elif lacking > 0 and left is None and not policy.keep_at_least:
        able = [each for each in found.may_go if why_open(each) is None]
        assert sum(each.allocated for each in able) < lacking


@given(found_plots, policies, st.integers(1, 400), st.integers(0, 800))
def test_a_forecast_ends_and_is_what_plans_say_one_after_the_other(
    plots: list[FoundPlot], policy: Policy, size: int, free: int
) -> None:
    halves = [plots[::2], plots[1::2]]
    shelves = [
        Shelf(Path(f"/{n}"), free, sort_out(policy, half, NOW, lambda _: None))
        for n, half in enumerate(halves)
    ]
    forecast = list(steps(policy, shelves, size))
    gone = [each for step in forecast for each in step.going]
    assert len({each.inode for each in gone}) == len(gone)
    for half in halves:
        left, there = free % size, len(half)
        for step in forecast:
            if step.going[0] in half:
                freed = sum(each.allocated for each in step.going)
                assert all(left + freed - each.allocated < size for each in step.going)
                assert step.new == (left + freed) // size >= 1
                there -= len(step.going)
                assert there >= policy.keep_at_least
                left, there = (left + freed) % size, there + step.new


# Settings


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        (date(2026, 6, 1), datetime(2026, 6, 1).timestamp()),
        (datetime(2026, 6, 1, 12, 30), datetime(2026, 6, 1, 12, 30).timestamp()),
        ("2026-06-01", datetime(2026, 6, 1).timestamp()),
        ("2026-06-01T12:00:00+00:00", 1780315200.0),
        ("180d", NOW - 180 * 86400),
        ("2y", NOW - 2 * YEAR),
        ("1.5 y", NOW - 1.5 * YEAR),
        ("6w", NOW - 42 * 86400),
    ],
)
def test_before_is_a_date_or_an_age(written: object, moment: float) -> None:
    assert read_before(written).moment(NOW) == moment


POLICY = """
before = 2026-06-01
formats = ["v1", "v1-compressed"]
pool = { not = ["xch1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq2u30kz"] }
max_k = 32
compression = [0, 1]
subdirectories = true
keep_at_least = 3
limit = 10
order = "worst first"
"""
READ = Policy(
    before=Before("2026-06-01", at=datetime(2026, 6, 1).timestamp()),
    formats=(PlotFormat.V1, PlotFormat.V1_COMPRESSED),
    pool=Pools(staying=(CONTRACT,)),
    max_k=32,
    compression=(0, 1),
    subdirectories=True,
    keep_at_least=3,
    limit=10,
    order="worst first",
)


def test_a_policy_is_read_also_from_what_a_worker_was_started_with(farm: Farm) -> None:
    schema = load_plugins().schema()
    file = farm.write(job=f"[job.replot]\n{POLICY}")
    (job,) = load_settings(file, schema).jobs
    assert job.keys(ReplotKeys).replot == READ
    again = job_as_written(job.written, schema)
    assert again is not None
    assert again.keys(ReplotKeys).replot == READ


def test_a_policy_of_all_jobs(farm: Farm) -> None:
    rest = "[defaults.replot]\nmax_k = 31\n"
    (job,) = load_settings(farm.write(rest=rest), load_plugins().schema()).jobs
    assert job.keys(ReplotKeys).replot == Policy(max_k=31)


@pytest.mark.parametrize(
    ("lines", "line", "said"),
    [
        ("", 0, "job.replot: found a table, expected before, formats, pool, max_k or"),
        (
            "limit = 3\nkeep_at_least = 2",
            0,
            "in it: without one, all plots could go",
        ),
        ('befor = "2y"', 1, 'job.replot.befor: found unknown key "befor", expected a key of'),
        ('max_k = 31\nbefore = "soon"', 2, 'job.replot.before: found "soon", expected a date'),
        ('before = "3h"', 1, "it is less than a day"),
        ("before = 5", 1, "found 5, expected a date such as 2026-06-01, or an age"),
        ('formats = "v3"', 1, "a format is one of v1, v1-compressed, v2"),
        ("formats = []", 1, "the list is empty"),
        ('pool = "contract"', 1, 'job.replot.pool: found "contract", expected "og", or { not ='),
        ('pool = { not = ["xch1abc"] }', 1, "xch1abc…: it has characters that no address has"),
        ('pool = { is = ["xch1abc"] }', 1, 'expected "og", or { not ='),
        ("max_k = 0", 1, "job.replot.max_k: found 0, expected a whole number of at least 1"),
        ("compression = [0, -1]", 1, "a level is a whole number"),
        ('max_k = 1\ndst = "/elsewhere"', 2, "job.replot.dst: found "),
        ('max_k = 1\nwhen = "start"', 2, '"delivery": this job\'s destination is chosen when'),
        ("max_k = 1\nlimit = 0", 2, "job.replot.limit: found 0, expected a whole number"),
        ('max_k = 1\norder = "random"', 2, 'expected "oldest" or "worst first"'),
    ],
)
def test_wrong_policies_are_messages_with_their_line(
    lines: str, line: int, said: str, farm: Farm
) -> None:
    file = farm.write(job=f"[job.replot]\n{lines}\n")
    table = file.read_text().splitlines().index("[job.replot]") + 1
    with pytest.raises(SettingsError) as wrong:
        load_settings(file, load_plugins().schema())
    (problem,) = wrong.value.problems
    assert said in str(problem)
    assert problem.line == table + line


@pytest.mark.parametrize(
    ("keys", "policy", "said"),
    [
        ({"deliver": "plotter"}, 'before = "2y"', "job.replot.when"),
        ({"tmp2": "dst", "plotter": "chia"}, 'before = "2y"', "job.replot.when"),
        ({"deliver": "plotter"}, 'max_k = 31\nwhen = "start"', "job.replot.before"),
    ],
)
def test_room_is_made_at_the_start_where_the_destination_is_chosen_then(
    keys: dict[str, Any], policy: str, said: str, farm: Farm
) -> None:
    schema = load_plugins().schema()
    key = "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44cdbb18e2038ba7b8b"
    if keys.get("plotter") == "chia":
        key += "b1632d7911ef1e2e08749bddbf165352"
        keys = keys | {"farmer_public_key": key, "pool_public_key": key}
    with pytest.raises(SettingsError, match=said):
        load_settings(farm.write(job=f"[job.replot]\n{policy}\n", **keys), schema)
    file = farm.write(job='[job.replot]\nbefore = "2y"\nwhen = "start"\n', **keys)
    assert load_settings(file, schema).jobs


# The page


PAGE = (Path(__file__).parents[1] / "docs" / "replotting.md").read_text("utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_page_are_right(example: str, farm: Farm) -> None:
    if "[[job]]" in example:
        farm.settings.write_text(example)
    else:
        farm.write(job=example)
    (job,) = load_settings(farm.settings, load_plugins().schema()).jobs
    assert job.keys(ReplotKeys).replot not in (None, Policy())


def test_the_page_names_every_key() -> None:
    keys = [field.name for field in fields(Policy)]
    assert [key for key in keys if f"| `{key}" not in PAGE] == []
    assert len(EXAMPLES) == 3

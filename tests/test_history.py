"""``plotrun history``: what became of workers."""

from __future__ import annotations

import csv
import json

import pytest

from farm import Farm


@pytest.fixture
def past(farm: Farm) -> Farm:
    """A farm with two plots, and a failure of another job."""
    farm.write(plots=2)
    assert farm.run_until_done().returncode == 0
    farm.write(name="bad", command="exit 3;", rest="[plugins.backoff]\npause_after = 1\n")
    assert farm.run_until_done().returncode == 1
    return farm


def test_the_latest_come_first_with_what_became_of_them(past: Farm) -> None:
    lines = past.plotrun("history").stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("failed: the plotter exited with code 3")
    assert all(line.endswith("1 plots") for line in lines[1:])
    assert all("  test  chiapos  k=18  plotted " in line for line in lines[1:])


def test_some_of_them(past: Farm) -> None:
    assert len(past.plotrun("history", "--failed").stdout.splitlines()) == 1
    assert len(past.plotrun("history", "--job", "test").stdout.splitlines()) == 2
    assert len(past.plotrun("history", "--last", "1").stdout.splitlines()) == 1
    assert past.plotrun("history", "--job", "gone").stdout == ""


def test_csv_and_json_say_the_same(past: Farm) -> None:
    found = json.loads(past.plotrun("history", "--json").stdout)
    assert found["form"] == 1
    rows = list(csv.DictReader(past.plotrun("history", "--csv").stdout.splitlines()))
    for one, other in zip(found["workers"], rows, strict=True):
        assert {key: "" if value is None else str(value) for key, value in one.items()} == other
    assert [row["outcome"] for row in rows] == ["failed", "done", "done"]
    assert [row["exit_code"] for row in rows] == ["3", "0", "0"]
    assert all(0 < row["plotting_seconds"] < 60 for row in found["workers"])


def test_before_the_first_run_there_is_none(farm: Farm) -> None:
    farm.write()
    empty = farm.plotrun("history")
    assert (empty.returncode, empty.stdout) == (0, "")

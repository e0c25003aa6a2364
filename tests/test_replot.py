"""Replotting as a user sees it: full disks, real plots, old ones that go one for one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm import Farm, small_disk, until
from old_plots import fill_but, free_of, write_plot
from plotrun import EventKind, read_plot
from plotrun.store import Store

DRIVER = Path(__file__).with_name("crashing_plotrun.py")
K18 = 4_600_000
"""Bytes: more than a plot of k=18 has, and less than two."""
POLICY = "[job.replot]\nbefore = 2026-06-01\n"


@pytest.fixture
def disk(farm: Farm) -> Iterator[Path]:
    """The one destination, a small file system: delivery is a copy."""
    with small_disk(farm.root / "a", "40m") as mounted:
        yield mounted


def old_plots(disk: Path, count: int, size: int = K18) -> list[Path]:
    """The oldest first, then no room for another plot."""
    old = [write_plot(disk, size, years=9 - n, k=25) for n in range(count)]
    fill_but(disk, 100_000)
    return old


def write(farm: Farm, job: str = POLICY, **keys: object) -> None:
    farm.write(job=job, **{"dst": [str(farm.root / "a")], "plots": 2} | keys)


def removed(farm: Farm) -> list[str]:
    """Plots that events tell of."""
    store = Store(farm.state_dir)
    events = [e for e in store.events.last(1000) if e.kind is EventKind.PLOT_REMOVED]
    store.close()
    return [str(event.data["plot"]) for event in events]


def new_plots(disk: Path) -> list[Path]:
    return [path for path in disk.glob("*.plot") if read_plot(path).k == 18]


def test_the_classic_rule_replaces_old_plots_one_for_one(farm: Farm, disk: Path) -> None:
    old = old_plots(disk, 4)
    write(farm)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [path.exists() for path in old] == [False, False, True, True]
    assert farm.plotrun("chiapos-check", *map(str, new_plots(disk))).returncode == 0
    assert len(new_plots(disk)) == 2
    assert removed(farm) == [str(path) for path in old[:2]]
    assert f"old plot removed to make room: {old[0]}, 4.4 MiB" in ended.stdout
    logged = (farm.log_dir / "replot.log").read_text().splitlines()
    assert [str(path) in line for path, line in zip(old, logged, strict=False)] == [True, True]
    # Room is made once the plot is finished, and it is delivered then.
    happened = re.findall(r"plot made|removed to make|plot delivered", ended.stdout)
    removals = [n for n, what in enumerate(happened) if what.startswith("removed")]
    assert all(
        happened[:n].count("plot made") > happened[:n].count("removed to make") for n in removals
    )


@pytest.mark.parametrize(
    ("point", "gone"),
    [
        ("before intend", False),
        ("after intend", False),
        ("before settle", True),
        ("before complete", True),
        ("after complete", True),
    ],
)
def test_killed_at_any_point_of_a_removal_no_more_goes(
    point: str, gone: bool, farm: Farm, disk: Path
) -> None:
    old = old_plots(disk, 3)
    write(farm, plots=1)
    crashed = subprocess.run(
        [sys.executable, DRIVER, "--settings", farm.settings, "run", "--until-done"],
        env=os.environ | {"CRASH": f"{point} removal"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert crashed.returncode == -signal.SIGKILL, crashed.stdout
    assert [path.exists() for path in old] == [not gone, True, True]
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [path.exists() for path in old] == [False, True, True]
    assert len(new_plots(disk)) == 1
    assert removed(farm) == [str(old[0])]
    assert list(farm.tmp.iterdir()) == []


def test_a_plotter_that_delivers_itself_gets_room_at_the_start(farm: Farm, disk: Path) -> None:
    old = old_plots(disk, 3)
    write(farm, POLICY + 'when = "start"\n', deliver="plotter")
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [path.exists() for path in old] == [False, False, True]
    assert len(new_plots(disk)) == 2
    happened = re.findall(r"removed to make room|plotter started", ended.stdout)
    assert happened[0] == "removed to make room"


def test_what_may_not_go_lets_the_plot_wait(farm: Farm, disk: Path) -> None:
    old = old_plots(disk, 1)
    new = write_plot(farm.tmp, K18, years=0)
    write(farm, plots=2)
    running = farm.start("run")
    until(running, "no destination for")
    running.send_signal(signal.SIGTERM)
    running.wait(60)
    assert not old[0].exists()
    assert len(new_plots(disk)) == 1
    assert new.exists()


def test_the_dry_run_tells_what_the_run_then_does(farm: Farm, disk: Path) -> None:
    old = old_plots(disk, 3)
    young = write_plot(disk, 40_000, years=0.1)
    (disk / "text.plot").write_text("none")
    write(farm, f"{POLICY}max_k = 25\n")
    shown = farm.plotrun("replot", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert [path.exists() for path in (*old, young)] == [True] * 4
    lines = shown.stdout.splitlines()
    assert lines[0] == "job test"
    assert lines[1] == "  3 plots would go, 13.2 MiB"
    assert [line.split()[-1] for line in lines[2:5]] == [str(path) for path in old]
    assert lines[5] == "  2 plots stay"
    assert {line.strip() for line in lines[6:8]} == {
        "1  its k is above 25",
        "1  no plot, or cannot be read",
    }
    assert re.fullmatch(r"  [34] plots of 3\.\d MiB fit, 0 of them .*: how long that .*", lines[8])
    assert farm.run_until_done().returncode == 0
    assert removed(farm) == [str(path) for path in old[:2]]
    again = farm.plotrun("replot", "--dry-run", "--job", "test").stdout.splitlines()
    assert again[1] == "  1 plot would go, 4.4 MiB"
    assert "at the present rate (one in" in again[-1]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["replot"], 2, "replotting happens by itself"),
        (["replot", "--dry-run", "--job", "none"], 3, "no job none with [job.replot]"),
    ],
)
def test_the_command_removes_nothing(
    arguments: list[str], code: int, said: str, farm: Farm, disk: Path
) -> None:
    old = old_plots(disk, 1)
    write(farm)
    ended = farm.plotrun(*arguments)
    assert ended.returncode == code
    assert said in ended.stderr
    assert old[0].exists()


def test_a_dry_run_says_what_keeps_it_from_removing_now(farm: Farm, disk: Path) -> None:
    old_plots(disk, 2)
    write(farm, dst=[str(disk), str(farm.root / "gone")])
    store = Store(farm.state_dir)
    number = store.removals.begin("test", "w", None, disk)
    (plot, *_) = _found(disk)
    store.removals.intend(number, 1e9, plot)
    store.removals.complete(number)
    store.close()
    shown = farm.plotrun("replot", "--dry-run").stdout
    assert f"{farm.root / 'gone'}: missing" in shown
    assert f"{disk}: not now: a plot was removed there (2001-09-09" in shown


def _found(disk: Path) -> list:
    from plotrun.farm.look import look_into

    return list(look_into(disk, False, {}, lambda: None)[0].plots)


def test_free_space_is_what_the_test_thinks(disk: Path) -> None:
    old_plots(disk, 3)
    assert free_of(disk) < K18

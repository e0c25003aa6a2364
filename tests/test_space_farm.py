"""Room on real file systems: tmp never overflows, and starts wait for room instead of failing."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from farm import Farm, small_disk, until

EMPTY_TMP = 15
"""MiB of temporary space that a plot of k=18 takes by its plotter's figure; a plot has 4."""


@pytest.fixture
def disks(farm: Farm) -> Iterator[ExitStack]:
    with ExitStack() as mounted:
        yield mounted
        farm.end_plotters()


def most_at_a_time(output: str) -> int:
    """How many plotters were before phase 4 at a time: after it they take nothing more."""
    growing: set[str] = set()
    most = 0
    for line in output.splitlines():
        worker = line.partition(" worker ")[2].partition(":")[0]
        if "plotter started" in line:
            growing.add(worker)
        elif "phase 4" in line or "plotter finished" in line:
            growing.discard(worker)
        most = max(most, len(growing))
    return most


def test_tmp_with_room_for_two_plotters_gets_two(farm: Farm, disks: ExitStack) -> None:
    disks.enter_context(small_disk(farm.tmp, f"{2 * EMPTY_TMP + EMPTY_TMP - 2}m"))
    # Not more of them: once some are made it is known that they take less than the formula says.
    farm.write(plots=3, max_workers=4)
    runner = farm.start("run", "--until-done")
    started = until(runner, "plotter started") + until(runner, "plotter started")
    said = rf"no temporary directory: {farm.tmp}: [\d.]+ MiB free, 14.9 MiB needed and "
    while not any(re.match(said, hold) for hold in farm.holds()):
        pass
    rest = runner.communicate(timeout=90)[0].decode()
    assert runner.returncode == 0
    assert most_at_a_time(started + rest) == 2
    assert "plotter says" not in rest, "no plotter met a full disk"
    assert len(farm.plots()) == 3


def test_waiting_plots_fill_tmp_and_hold_starts_and_none_is_removed(
    farm: Farm, disks: ExitStack
) -> None:
    disks.enter_context(small_disk(farm.tmp, "21m"))
    full = disks.enter_context(small_disk(farm.root / "a", "1m"))
    farm.write(plots=4, dst=str(full), when_full="plot")
    runner = farm.start("run", "--until-done")
    for _ in range(2):
        until(runner, "no destination for")
    while not any("no temporary directory" in hold for hold in farm.holds()):
        pass
    waiting = list(farm.tmp.rglob("*.plot"))
    assert len(waiting) == 2
    subprocess.run(["mount", "-o", "remount,size=50m", str(full)], check=True)
    farm.settings.touch()
    rest = runner.communicate(timeout=90)[0].decode()
    assert runner.returncode == 0
    assert "failed" not in rest
    assert {plot.name for plot in waiting} < {plot.name for plot in farm.plots()}
    assert len(farm.plots()) == 4


def test_no_more_plots_are_begun_than_destinations_take(farm: Farm, disks: ExitStack) -> None:
    disk = disks.enter_context(small_disk(farm.root / "a", "9m"))
    farm.write(plots=0, max_workers=3, dst=str(disk))
    runner = farm.start("run")
    for _ in range(2):
        until(runner, "ended: done")
    while not any("no destination for one more plot" in hold for hold in farm.holds()):
        pass
    runner.terminate()
    rest = runner.communicate(timeout=30)[0].decode()
    assert "plotter started" not in rest
    assert len(farm.plots()) == 2
    assert list(farm.tmp.iterdir()) == []


def test_a_plotter_that_goes_on_is_asked_to_finish_before_its_waiting_plots_fill_tmp(
    farm: Farm, disks: ExitStack
) -> None:
    disks.enter_context(small_disk(farm.tmp, "26m"))
    full = disks.enter_context(small_disk(farm.root / "a", "1m"))
    farm.write(plots=0, plots_per_process=0, dst=str(full), when_full="plot")
    runner = farm.start("run")
    until(runner, "plotter asked to end")
    until(runner, "plotter finished")
    plots = len(list(farm.tmp.rglob("*.plot")))
    assert 2 <= plots <= 4
    subprocess.run(["mount", "-o", "remount,size=90m", str(full)], check=True)
    farm.settings.touch()
    for _ in range(plots):
        until(runner, "plot delivered")
    runner.terminate()
    assert "plotter says" not in runner.communicate(timeout=30)[0].decode()


def test_nothing_is_written_below_a_mount_point_without_a_mount(
    farm: Farm, disks: ExitStack
) -> None:
    point = farm.root / "a"
    (point / "plots").mkdir()
    farm.write(
        dst=str(point / "plots"),
        rest=f'[plugins.not_mounted]\nmount_points = ["{point}"]\n',
    )
    runner = farm.start("run", "--until-done")
    until(runner, "plotrun runs with")
    (hold,) = farm.holds()
    assert hold.endswith(f"not mounted: nothing is mounted on {point}")
    (shown,) = (row for row in rows(farm) if row["path"] == str(point / "plots"))
    assert shown["refused"] == f"not mounted: nothing is mounted on {point}"
    disk = disks.enter_context(small_disk(point, "20m"))
    (disk / "plots").mkdir()
    farm.settings.touch()
    assert runner.wait(60) == 0
    assert len(list((disk / "plots").iterdir())) == 1
    subprocess.run(["umount", str(point)], check=True)
    assert list((point / "plots").iterdir()) == []
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(point)], check=True)


def test_a_copy_that_was_cut_off_is_not_begun_again_on_the_bare_mount_point(
    farm: Farm, disks: ExitStack
) -> None:
    """plotrun is killed in a copy, and at the next boot the disk is not there."""
    point, other = farm.root / "a", farm.root / "b"
    install_slow_copy(farm)
    rest = f'[plugins.not_mounted]\nmount_points = ["{point}"]\n'
    with small_disk(point, "20m"):
        farm.write(dst=str(point), rest=rest)
        runner = farm.start("run", "--until-done")
        until(runner, "delivery to")
        runner.kill()
        runner.communicate()
    farm.environment.clear()
    farm.write(dst=[str(point), str(other)], rest=rest)
    assert farm.run_until_done().returncode == 0
    assert list(point.iterdir()) == []
    assert len(list(other.glob("*.plot"))) == 1


def install_slow_copy(farm: Farm) -> None:
    """Let this farm's plotrun never come to the end of a copy."""
    directory = farm.root / "patches"
    directory.mkdir()
    (directory / "sitecustomize.py").write_text(
        "import plotrun.copying, time\nplotrun.copying.bring = lambda *a: time.sleep(60)\n"
    )
    farm.environment["PYTHONPATH"] = str(directory)


# The page


def test_examples_of_the_page_are_right(farm: Farm) -> None:
    page = (Path(__file__).parents[1] / "docs" / "space.md").read_text("utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 4
    for example in examples:
        farm.settings.write_text(example, "utf-8")
        shown = farm.plotrun("settings", "show")
        assert shown.returncode == 0, shown.stderr


# Commands


def rows(farm: Farm) -> list[dict[str, Any]]:
    shown = json.loads(farm.plotrun("disks", "--json").stdout)
    assert shown["form"] == 1
    return [row for system in shown["file_systems"] for row in system["directories"]]


def test_disks_shows_every_directory_and_what_fits(farm: Farm, disks: ExitStack) -> None:
    disk = disks.enter_context(small_disk(farm.root / "b", "20m"))
    (disk / "marked").mkdir()
    (disk / "marked" / "plotrun.skip").touch()
    (disk / "old.plot").write_bytes(bytes(4 * 2**20))
    gone = farm.root / "gone"
    dst = [str(farm.root / "a"), str(disk), str(disk / "marked"), str(gone)]
    farm.write(dst=dst, min_free="5MiB")
    found = {Path(row["path"]): row for row in rows(farm)}
    assert found[farm.tmp]["used_as"] == ["tmp"]
    assert found[farm.tmp]["fits_tmp"]["test"] > 2
    assert (found[disk]["plots"], found[disk]["fits"]) == (1, {"test": 3}), "(20 - 4 - 5) / 3.6"
    assert found[disk / "marked"]["refused"] == "marked: plotrun.skip is in it"
    assert found[disk / "marked"]["fits"] == {"test": 0}
    assert (found[gone]["trouble"], found[gone]["plots"]) == ("missing", None)
    shown = json.loads(farm.plotrun("disks", "--json").stdout)["file_systems"]
    together = [[row["path"] for row in system["directories"]] for system in shown]
    assert [str(disk), str(disk / "marked")] in together
    assert [str(farm.tmp), str(farm.root / "a")] in together
    table = farm.plotrun("disks").stdout
    assert "same disk" in table
    assert f"{gone}: missing" in table.replace("\n", "")


def test_disks_fits_a_phone(farm: Farm) -> None:
    farm.write()
    farm.environment["COLUMNS"] = "40"
    assert all(len(line) <= 40 for line in farm.plotrun("disks").stdout.splitlines())


def test_a_disk_that_hangs_is_told_as_such_and_delays_nobody(farm: Farm) -> None:
    (farm.root / "patches").mkdir()
    (farm.root / "patches" / "sitecustomize.py").write_text(
        "import plotrun.space, time\n"
        "real = plotrun.space.look\n"
        "plotrun.space.look = lambda p: time.sleep(300) if p.name == 'a' else real(p)\n"
    )
    farm.environment["PYTHONPATH"] = str(farm.root / "patches")
    farm.write(general='disk_timeout = "200ms"\n')
    found = {Path(row["path"]).name: row["trouble"] for row in rows(farm)}
    assert found == {"tmp": None, "a": "not answering", "b": None}
    assert farm.run_until_done().returncode == 0
    assert [plot.parent.name for plot in farm.plots()] == ["b"]


def test_promises_are_seen_without_a_runner(farm: Farm, disks: ExitStack) -> None:
    disk = disks.enter_context(small_disk(farm.root / "b", "30m"))
    install_slow_copy(farm)
    farm.write(dst=str(disk))
    runner = farm.start("run", "--until-done")
    until(runner, "delivery to")
    for up in (True, False):
        if not up:
            runner.kill()
            runner.communicate()
        shown = json.loads(farm.plotrun("disks", "--json").stdout)["file_systems"]
        (system,) = (s for s in shown if s["directories"][0]["path"] == str(disk))
        assert system["promised"] > 3 * 2**20
        assert system["directories"][0]["coming"] == 1


def test_why_dst_tells_what_the_delivery_then_does(farm: Farm, disks: ExitStack) -> None:
    disk = disks.enter_context(small_disk(farm.root / "b", "9m"))
    dst = [str(disk), str(farm.root / "a"), str(farm.root / "gone")]
    farm.write(dst=dst, choose_dst="most_free")
    answer = json.loads(farm.plotrun("why-dst", "test", "--json").stdout)
    assert answer["chosen"] == dst[1]
    assert [row["rejected"] for row in answer["destinations"]] == [None, None, "missing"]
    assert farm.run_until_done().returncode == 0
    (plot,) = farm.plots()
    assert str(plot.parent) == answer["chosen"]
    said = farm.plotrun("why-dst", "test").stdout
    assert f"{answer['chosen']}: chosen (" in said
    assert f"{dst[2]}: missing" in said
    assert farm.plotrun("why-dst", "other").returncode == 3

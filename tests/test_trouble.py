"""A destination fails, or plotrun dies, at each step of a delivery: one whole plot remains."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm import Farm, disk_image, small_disk, thaw, until
from plotrun import EventKind
from plotrun.store import Store

DRIVER = Path(__file__).with_name("troubled_plotrun.py")


@pytest.fixture
def disk(farm: Farm) -> Iterator[Path]:
    """The first destination is a file system of its own; the second one is that of tmp."""
    with disk_image(farm.root / "image", farm.root / "a", "24m") as mounted:
        yield mounted
        thaw(mounted)
        farm.end_plotters()


def start(farm: Farm, step: str, trouble: str) -> subprocess.Popen[bytes]:
    """A runner that meets the trouble when it comes to the step."""
    farm.write(general='copy_timeout = "1s"\n', choose_dst="fill_first", post_command="echo %plot%")
    return subprocess.Popen(
        [sys.executable, DRIVER, "--settings", farm.settings, "run", "--plain"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ
        | {"STEP": step, "TROUBLE": trouble, "HASH": str(farm.root / "hash")}
        | {"A": str(farm.root / "a")},
    )


def end(runner: subprocess.Popen[bytes]) -> str:
    runner.terminate()
    said = runner.communicate(timeout=30)[0].decode()
    assert runner.returncode == 0, said
    return said


def assert_one_plot(farm: Farm, where: Path) -> None:
    """There is one plot, whole, in *where*; the worker has ended, and all is written down."""
    (plot,) = farm.plots()
    assert plot.parent == where
    assert hashlib.blake2b(plot.read_bytes()).hexdigest() == (farm.root / "hash").read_text()
    store = Store(farm.state_dir)
    events = store.events.last(1000)
    assert store.alive_workers() == []
    store.close()
    delivered = [event.data for event in events if event.kind is EventKind.PLOT_DELIVERED]
    assert [data["plot"] for data in delivered] == [str(plot)]
    assert sum(event.kind is EventKind.POST_FINISHED for event in events) == 1
    leftovers = [path for path in farm.leftovers() if path.name not in ("lost+found", "fill")]
    assert leftovers == []


def test_a_disk_that_goes_read_only_in_the_middle_of_a_copy(farm: Farm, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,errors=remount-ro", disk], check=True)
    error = "echo 1 > /sys/fs/ext4/$(basename $(findmnt -no SOURCE $A))/trigger_fs_error"
    runner = start(farm, "copy", error)
    assert "Read-only file system" in until(runner, "delivery failed")
    until(runner, "ended: done")
    end(runner)
    (half,) = disk.glob(".*.partial")  # nothing can be removed from such a disk
    subprocess.run(["umount", disk], check=True)
    assert_one_plot(farm, farm.root / "b")
    subprocess.run(["mount", "-o", "loop", farm.root / "image", disk], check=True)
    assert half.name.startswith(f".{farm.plots()[0].name}")


@pytest.mark.parametrize("step", ["copy", "record"])
def test_a_disk_that_is_unmounted(farm: Farm, disk: Path, step: str) -> None:
    arrived = step == "record"
    runner = start(farm, "source" if arrived else step, "umount -l $A && rmdir $A")
    until(runner, "no destination for" if arrived else "delivery failed")
    disk.mkdir()
    subprocess.run(["mount", "-o", "loop", farm.root / "image", disk], check=True)
    farm.settings.touch()
    until(runner, "ended: done")
    assert "no destination" not in end(runner)
    assert_one_plot(farm, disk if arrived else farm.root / "b")


@pytest.mark.parametrize("step", ["copy", "rename"])
def test_a_disk_that_hangs(farm: Farm, disk: Path, step: str) -> None:
    runner = start(farm, step, "fsfreeze --freeze $A")
    try:
        assert "not answering: the copy stood still for 1s" in until(runner, "delivery failed")
        until(runner, "ended: done")
        assert len(list((farm.root / "b").glob("*.plot"))) == 1
    finally:
        thaw(disk)
    while [path for path in disk.iterdir() if path.name != "lost+found"]:
        assert runner.poll() is None, "the thread that was left behind removes its file"
    end(runner)
    assert_one_plot(farm, farm.root / "b")


@pytest.mark.parametrize("step", ["rename", "source"])
def test_plotrun_is_killed(farm: Farm, disk: Path, step: str) -> None:
    runner = start(farm, step, "kill -9 $PLOTRUN")
    runner.communicate(timeout=60)
    assert runner.returncode == -signal.SIGKILL
    assert farm.run_until_done().returncode == 0
    assert_one_plot(farm, disk)


def test_status_tells_how_fast_a_plot_is_copied(farm: Farm) -> None:
    with small_disk(farm.root / "a", "20m") as there:
        farm.write(general='copy_rate = "1MB"\n', dst=str(there))
        runner = farm.start("run", "--until-done")
        until(runner, "delivery to")
        while not (plot := farm.workers()[0]["plots"][0])["copied"]:
            pass  # the question itself takes a tenth of a second
        assert 0 < plot["copied"] < plot["size"]
        assert 0 < plot["copy_speed"] <= 1e6
        left = (plot["size"] - plot["copied"]) / plot["copy_speed"]
        assert plot["copy_seconds_left"] == pytest.approx(left)
        runner.communicate(timeout=60)
        assert runner.returncode == 0

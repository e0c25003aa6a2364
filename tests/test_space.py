"""Disks asked off the event loop: a dead one delays nobody."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from pathlib import Path

import pytest

from farm import small_disk
from plotrun import space
from plotrun.space import NOT_ANSWERING, Disk, Disks, look, mount_point, physical_disk


def test_what_a_directory_says(tmp_path: Path) -> None:
    disk = look(tmp_path)
    assert disk.trouble is None
    assert disk.device == tmp_path.stat().st_dev
    assert disk.free is not None
    assert disk.total is not None
    assert 0 < disk.free <= disk.total


def test_what_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert look(tmp_path / "gone").trouble == "missing"
    assert look(tmp_path / "file").trouble == "not a directory"
    assert look(tmp_path / "file" / "below").trouble == "Not a directory"


def test_a_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path, "1m"):
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path)], check=True)
        assert look(tmp_path).trouble == "read-only"


def test_free_space_is_that_of_the_file_system(tmp_path: Path) -> None:
    with small_disk(tmp_path, "4m"):
        before = look(tmp_path).free
        (tmp_path / "file").write_bytes(bytes(1024 * 1024))
        after = look(tmp_path).free
        assert before is not None
        assert after is not None
        assert before - after == 1024 * 1024


def test_one_that_hangs_is_left_out_and_asked_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, asked = threading.Event(), []

    def hanging(path: Path) -> Disk:
        asked.append(path)
        if path.name == "dead":
            answer.wait(60)
        return Disk(path, 1, 2, 3)

    monkeypatch.setattr(space, "look", hanging)
    dead, well = tmp_path / "dead", tmp_path / "well"

    async def ask() -> None:
        disks = Disks(timeout=0.05)
        for _ in range(3):
            found = await disks.ask([dead, well])
            assert found == [Disk(dead, trouble=NOT_ANSWERING), Disk(well, 1, 2, 3)]
        assert asked.count(dead) == 1
        assert asked.count(well) == 3
        answer.set()
        while (found := await disks.ask([dead]))[0].trouble:
            pass  # its answer is on its way
        assert found == [Disk(dead, 1, 2, 3)]

    asyncio.run(ask())


def test_one_that_hangs_delays_others_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def hanging(path: Path) -> Disk:
        answer.wait(60)
        threading.Event().wait(0.02)  # a slow disk
        return Disk(path, 1, 2, 3)

    monkeypatch.setattr(space, "look", hanging)

    async def ask() -> None:
        disks = Disks(timeout=0.05)
        assert (await disks.ask([tmp_path]))[0].trouble == NOT_ANSWERING
        disks.timeout = 60  # nobody waits for so long again
        async with asyncio.timeout(10):
            assert (await disks.ask([tmp_path]))[0].trouble == NOT_ANSWERING
            assert await disks.devices([tmp_path]) == {tmp_path: None}
            answer.set()
            while (await disks.ask([tmp_path]))[0].trouble:
                pass
            assert (await disks.ask([tmp_path]))[0].trouble is None, "it is waited for again"
            assert await disks.devices([tmp_path]) == {tmp_path: 1}

    asyncio.run(ask())


def test_the_mount_point_of_a_directory(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk", "1m") as disk:
        below = disk / "plots" / "new"
        below.mkdir(parents=True)
        link = tmp_path / "link"
        link.symlink_to(below)
        assert look(below).mount == look(disk).mount == look(link).mount == disk
        assert look(tmp_path).mount == mount_point(tmp_path) != disk
    assert look(disk).mount == mount_point(tmp_path)


def test_marks_are_looked_for_with_the_rest(tmp_path: Path) -> None:
    assert look(tmp_path).marks == frozenset()
    (tmp_path / "chia_plot_sink_disable").touch()
    assert look(tmp_path).marks == {"chia_plot_sink_disable"}


def test_what_temporary_files_take_of_each_directory(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    (one / "finished").mkdir(parents=True)
    (one / "finished" / "done.plot").write_bytes(bytes(99999))
    two.mkdir()
    (two / "x.tmp").write_bytes(bytes(8192))
    assert asyncio.run(Disks().used([one, two, tmp_path / "gone"])) == [0, 8192, 0]


def test_partitions_of_one_disk_share_it(tmp_path: Path) -> None:
    assert physical_disk(tmp_path.stat().st_dev)
    assert physical_disk(0) == "device 0"

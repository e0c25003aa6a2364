"""Disks asked off the event loop: a dead one delays nobody."""

from __future__ import annotations

import asyncio
import subprocess
import threading
from pathlib import Path

import pytest

from farm import small_disk
from plotrun import space
from plotrun.space import NOT_ANSWERING, Disk, Disks, look, physical_disk


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
        disks.timeout = 10
        assert await disks.ask([dead]) == [Disk(dead, 1, 2, 3)]

    asyncio.run(ask())


def test_partitions_of_one_disk_share_it(tmp_path: Path) -> None:
    assert physical_disk(tmp_path.stat().st_dev)
    assert physical_disk(0) == "device 0"

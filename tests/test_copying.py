"""Bringing a file: at every moment it is whole in at least one of the two places."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm import small_disk
from plotrun import copying
from plotrun.copying import Cancelled, DeliveryFailed, bring, partial_path

CONTENT = random.Random(1).randbytes(3_000_000)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "plot-k32-x.plot"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "other"
    directory.mkdir()
    with small_disk(directory, "8m") as disk:
        yield disk


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK", 256 * 1024)


def deliver(
    source: Path,
    destination: Path,
    verify: str = "size",
    moved: Callable[[int], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    bring(source, destination, "w1", verify, moved, cancelled)


def test_on_one_file_system_it_is_a_rename(source: Path, tmp_path: Path) -> None:
    (tmp_path / "dst").mkdir()
    inode = source.stat().st_ino
    deliver(source, tmp_path / "dst" / source.name)
    assert (tmp_path / "dst" / source.name).stat().st_ino == inode
    assert not source.exists()


@pytest.mark.parametrize("verify", ["size", "read"])
def test_to_another_disk_it_is_a_copy(source: Path, other_disk: Path, verify: str) -> None:
    steps: list[int] = []

    def moved(count: int) -> None:
        steps.append(count)
        assert source.read_bytes() == CONTENT, "the source stays until the copy is whole"
        assert [path.name[0] for path in other_disk.iterdir()] == ["."], "hidden until then"

    deliver(source, other_disk / source.name, verify, moved)
    assert (other_disk / source.name).read_bytes() == CONTENT
    assert [path.name for path in other_disk.iterdir()] == [source.name]
    assert not source.exists()
    assert steps == sorted(steps)
    assert steps[-1] == len(CONTENT)


def test_what_a_cut_off_copy_left_is_replaced(source: Path, other_disk: Path) -> None:
    partial_path(other_disk / source.name, "w1").write_bytes(b"half")
    deliver(source, other_disk / source.name)
    assert [path.name for path in other_disk.iterdir()] == [source.name]


def test_a_rename_that_was_done_before_is_taken_for_done(source: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.plot"
    source.rename(there)
    deliver(source, there)
    assert there.read_bytes() == CONTENT


def test_the_same_file_at_the_destination_is_taken_for_delivered(
    source: Path, other_disk: Path
) -> None:
    (other_disk / source.name).write_bytes(CONTENT)
    deliver(source, other_disk / source.name)
    assert not source.exists()
    assert (other_disk / source.name).read_bytes() == CONTENT


@pytest.mark.parametrize("content", [b"short", CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])])
def test_another_file_at_the_destination_is_never_replaced(
    source: Path, other_disk: Path, content: bytes
) -> None:
    (other_disk / source.name).write_bytes(content)
    with pytest.raises(DeliveryFailed, match="exists already and is another file"):
        deliver(source, other_disk / source.name)
    assert (other_disk / source.name).read_bytes() == content
    assert source.read_bytes() == CONTENT


def test_a_disk_that_fills_up_keeps_nothing_of_it(source: Path, other_disk: Path) -> None:
    (other_disk / "others").write_bytes(bytes(6_500_000))
    with pytest.raises(DeliveryFailed, match="No space left on device"):
        deliver(source, other_disk / source.name)
    assert [path.name for path in other_disk.iterdir()] == ["others"]
    assert source.read_bytes() == CONTENT


def test_a_read_only_disk(source: Path, other_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(other_disk)], check=True)
    with pytest.raises(DeliveryFailed, match="Read-only file system"):
        deliver(source, other_disk / source.name)
    assert source.read_bytes() == CONTENT


def test_a_missing_destination(source: Path, tmp_path: Path) -> None:
    with pytest.raises(DeliveryFailed, match="No such file or directory"):
        deliver(source, tmp_path / "gone" / source.name)
    assert source.read_bytes() == CONTENT


def test_giving_up_leaves_everything_as_it_was(source: Path, other_disk: Path) -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(Cancelled):
        deliver(source, other_disk / source.name, cancelled=cancelled)
    assert list(other_disk.iterdir()) == []
    assert source.read_bytes() == CONTENT


def test_a_copy_that_reads_back_wrong_is_not_taken(
    source: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_hash", lambda path, cancelled: b"other")
    with pytest.raises(DeliveryFailed, match="what was read back differs"):
        deliver(source, other_disk / source.name, verify="read")
    assert list(other_disk.iterdir()) == []
    assert source.read_bytes() == CONTENT


@pytest.mark.parametrize("name", [b"new\nline.plot", b"\xff\xfe.plot", b"-rf.plot", b" .plot"])
def test_any_name(tmp_path: Path, other_disk: Path, name: bytes) -> None:
    source = tmp_path / os.fsdecode(name)
    source.write_bytes(CONTENT)
    deliver(source, other_disk / source.name)
    assert [os.fsencode(path.name) for path in other_disk.iterdir()] == [name]


def test_an_empty_file(tmp_path: Path, other_disk: Path) -> None:
    source = tmp_path / "empty.plot"
    source.touch()
    deliver(source, other_disk / source.name)
    assert (other_disk / source.name).read_bytes() == b""

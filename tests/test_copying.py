"""Bringing a file: at every moment it is whole in at least one of the two places."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm import disk_image, freeze, small_disk, thaw
from plotrun import copying
from plotrun.copying import Attempt, Cancelled, DeliveryFailed, FileMissing, bring, partial_path

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
) -> None:
    bring(source, destination, "w1", verify, Attempt(moved))


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


class AtStep(Attempt):
    """Does something once, when the step of a number is reached."""

    def __init__(self, number: int, act: Callable[[Attempt], object]) -> None:
        super().__init__()
        self._number = number
        self._act = act

    def _step(self) -> None:
        super()._step()
        if self.steps == self._number:
            self._lock.release()
            try:
                self._act(self)
            finally:
                self._lock.acquire()


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "CHUNK", 2 * 1024 * 1024)


def steps_of_a_copy(source: Path, disk: Path, verify: str) -> int:
    """How many steps a copy takes; the source is there afterwards."""
    attempt, copy = Attempt(), source.with_name("copy.plot")
    copy.write_bytes(CONTENT)
    bring(copy, disk / copy.name, "w1", verify, attempt)
    (disk / copy.name).unlink()
    return attempt.steps


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("verify", ["size", "read"])
def test_given_up_at_any_step_it_leaves_everything_as_it_was(
    source: Path, other_disk: Path, verify: str
) -> None:
    steps = steps_of_a_copy(source, other_disk, verify)
    for number in range(1, steps):
        attempt = AtStep(number, Attempt.give_up)
        with pytest.raises(Cancelled):
            bring(source, other_disk / source.name, "w1", verify, attempt)
        assert list(other_disk.iterdir()) == [], f"step {number}"
        assert source.read_bytes() == CONTENT
    attempt = AtStep(steps, lambda attempt: None)
    bring(source, other_disk / source.name, "w1", verify, attempt)
    assert not attempt.give_up(), "it is too late: it has arrived"
    assert not source.exists()


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("verify", ["size", "read"])
def test_a_disk_that_is_unmounted_at_any_step_keeps_nothing_and_the_source_stays(
    source: Path, tmp_path: Path, verify: str
) -> None:
    """The path leads to the bare directory then, on the disk of the source."""
    point, again = tmp_path / "other", tmp_path / "again"
    point.mkdir()
    again.mkdir()
    with small_disk(point, "8m"):
        steps = steps_of_a_copy(source, point, verify)
    for number in range(4, steps + 1):
        with small_disk(again, "8m"):
            subprocess.run(["mount", "--bind", again, point], check=True)
            attempt = AtStep(number, lambda _: subprocess.run(["umount", "-l", point], check=True))
            with contextlib.suppress(DeliveryFailed):
                bring(source, point / source.name, "w1", verify, attempt)
            arrived = not source.exists()
            assert arrived == (number == steps), "only what has arrived is taken for delivered"
            assert list(again.iterdir()) == [again / source.name] * arrived, f"step {number}"
            whole = again / source.name if arrived else source
            assert whole.read_bytes() == CONTENT
            source.write_bytes(CONTENT)
            assert list(point.iterdir()) == [], "nothing is written below a bare mount point"


@pytest.mark.usefixtures("few_steps")
def test_a_disk_that_hangs_at_any_step_does_no_harm_when_it_wakes(
    source: Path, tmp_path: Path
) -> None:
    point, left_behind = tmp_path / "other", 0
    point.mkdir()
    with disk_image(tmp_path / "image", point, "24m") as disk:
        (disk / "lost+found").rmdir()
        steps = steps_of_a_copy(source, disk, "size")
        for number in range(1, steps + 1):
            frozen = threading.Event()

            def hang(_: Attempt, frozen: threading.Event = frozen) -> None:
                freeze(disk)
                frozen.set()

            attempt, ended = AtStep(number, hang), Ended()
            thread = threading.Thread(target=ended.run, args=(source, disk, attempt))
            thread.start()
            frozen.wait()
            thread.join(0.1)
            given_up = thread.is_alive() and attempt.give_up()
            left_behind += given_up
            thaw(disk)
            thread.join()
            if given_up:
                assert isinstance(ended.error, Cancelled), f"step {number}: {ended.error}"
                assert list(disk.iterdir()) == [], f"step {number}"
                assert source.read_bytes() == CONTENT
            else:
                assert ended.error is None
                assert (disk / source.name).read_bytes() == CONTENT
                assert not source.exists()
                source.write_bytes(CONTENT)
                (disk / source.name).unlink()
    assert left_behind >= steps - 2


class Ended:
    """How an attempt in a thread ended."""

    error: Exception | None = None

    def run(self, source: Path, disk: Path, attempt: Attempt) -> None:
        try:
            bring(source, disk / source.name, "w1", "size", attempt)
        except Exception as error:
            self.error = error


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_a_disk_that_fails_at_any_step(source: Path, tmp_path: Path, trouble: str) -> None:
    point, steps = tmp_path / "other", 99
    point.mkdir()

    def fail(_: Attempt) -> None:
        if trouble == "full":
            with contextlib.suppress(OSError), (point / "fill").open("wb", buffering=0) as fill:
                while fill.write(bytes(65536)):
                    pass
        else:
            device = subprocess.check_output(["findmnt", "-no", "SOURCE", point]).decode().strip()
            Path(f"/sys/fs/ext4/{Path(device).name}/trigger_fs_error").write_text("1")

    failed = 0
    number = 0
    while number < steps:
        number += 1
        with disk_image(tmp_path / "image", point, "8m") as disk:
            subprocess.run(["mount", "-o", "remount,errors=remount-ro", disk], check=True)
            (disk / "lost+found").rmdir()
            steps = steps_of_a_copy(source, disk, "size")
            attempt = AtStep(number, fail)
            try:
                bring(source, disk / source.name, "w1", "size", attempt)
                arrived = True
            except DeliveryFailed:
                failed += 1
                arrived = False
            assert (disk / source.name).exists() == arrived, f"step {number}"
            assert source.exists() != arrived
            whole = disk / source.name if arrived else source
            assert whole.read_bytes() == CONTENT
            if trouble == "full" and not arrived:
                assert [path.name for path in disk.iterdir()] == ["fill"]
            source.write_bytes(CONTENT)
    assert 3 <= failed < steps


def test_a_disk_that_is_unmounted_right_after_the_rename_keeps_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point, again = tmp_path / "other", tmp_path / "again"
    point.mkdir()
    again.mkdir()
    with small_disk(again, "8m"):
        subprocess.run(["mount", "--bind", again, point], check=True)

        def unmount(_: object) -> None:
            assert (point / source.name).exists(), "it has its name"
            subprocess.run(["umount", "-l", point], check=True)

        monkeypatch.setattr(copying._Directory, "sync", unmount)
        with pytest.raises(DeliveryFailed, match="its disk was taken away meanwhile"):
            deliver(source, point / source.name)
        assert list(again.iterdir()) == []
        assert source.read_bytes() == CONTENT


def test_a_file_in_neither_place_is_told_as_such(source: Path, other_disk: Path) -> None:
    source.unlink()
    with pytest.raises(FileMissing, match="neither in"):
        deliver(source, other_disk / source.name)


def test_a_source_that_cannot_be_removed_does_not_undo_the_delivery(
    tmp_path: Path, other_disk: Path
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    with small_disk(here, "8m") as disk:
        source = disk / "plot-k32-x.plot"
        source.write_bytes(CONTENT)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        deliver(source, other_disk / source.name)
        assert (other_disk / source.name).read_bytes() == CONTENT
        assert source.read_bytes() == CONTENT


def test_the_rate_limits_a_copy_and_giving_up_ends_the_wait(source: Path, other_disk: Path) -> None:
    began = time.monotonic()
    attempt = Attempt(rate=10_000_000)
    bring(source, other_disk / source.name, "w1", "size", attempt)
    assert 0.3 <= time.monotonic() - began < 2
    assert 5e6 < attempt.speed <= 10e6
    source.write_bytes(CONTENT)
    slow = Attempt(rate=1)
    threading.Timer(0.2, slow.give_up).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        bring(source, other_disk / "x.plot", "w1", "size", slow)
    assert time.monotonic() - began < 2


def test_what_is_written_does_not_stay_in_the_page_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system with a disk below it: a tmpfs is nothing but cache."""
    point, image = tmp_path / "disk", tmp_path / "image"
    point.mkdir()
    monkeypatch.setattr(copying, "CHUNK", 2**20)
    monkeypatch.setattr(copying, "WINDOW", 2**22)
    with disk_image(image, point, "64m") as disk:
        source = tmp_path / "large.plot"
        source.write_bytes(CONTENT * 10)
        cached: list[int] = []
        partial = partial_path(disk / source.name, "w1")
        deliver(source, disk / source.name, moved=lambda _: cached.append(in_cache(partial)))
        assert max(cached) <= 3 * copying.WINDOW
        assert in_cache(disk / source.name) == 0


def in_cache(path: Path) -> int:
    """Bytes of a file that are in the page cache."""
    said = subprocess.run(
        ["fincore", "--bytes", "--noheadings", "--output", "RES", path],
        capture_output=True,
        check=True,
    )
    return int(said.stdout)


def test_a_copy_that_reads_back_wrong_is_not_taken(
    source: Path, other_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_hash", lambda path, attempt: b"other")
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

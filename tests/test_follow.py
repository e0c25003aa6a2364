"""Following logs: every byte once, whatever happens to the file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from plotrun import follow
from plotrun.clock import SystemClock
from plotrun.follow import Follower, LogWatch, last_lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def follower(log: Path) -> Follower:
    return Follower(log, lambda chunk: None)


def test_every_byte_is_read_once(log: Path) -> None:
    reader = follower(log)
    assert reader.read() == b"", "a log that is not there yet is empty"
    log.write_bytes(b"one")
    assert reader.read() == b"one"
    assert reader.read() == b""
    with log.open("ab") as file:
        file.write(b"two")
    assert reader.read() == b"two"


def test_a_truncated_log_starts_anew(log: Path) -> None:
    reader = follower(log)
    log.write_bytes(b"a long first line")
    reader.read()
    log.write_bytes(b"new")
    assert reader.read() == b"new"


def test_a_replaced_log_starts_anew(log: Path, tmp_path: Path) -> None:
    reader = follower(log)
    log.write_bytes(b"first")
    reader.read()
    (tmp_path / "other").write_bytes(b"second, and longer")
    (tmp_path / "other").rename(log)
    assert reader.read() == b"second, and longer"


def test_a_large_log_comes_in_chunks(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "CHUNK", 10)
    log.write_bytes(b"x" * 25)
    reader = follower(log)
    assert [len(reader.read()) for _ in range(4)] == [10, 10, 5, 0]


def test_the_rest_is_read_when_the_plotter_has_ended(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "CHUNK", 10)
    log.write_bytes(b"x" * 25)
    taken: list[bytes] = []

    async def run() -> None:
        watch = LogWatch(SystemClock())
        following = watch.follow(log, taken.append)
        await watch.finish(following)
        log.write_bytes(b"x" * 30)
        await watch.finish(following)

    asyncio.run(run())
    assert b"".join(taken) == b"x" * 30


def test_last_lines(log: Path) -> None:
    assert last_lines(log) == []
    log.write_bytes(b"\n".join(b"line %d \xff" % n for n in range(1000)) + b"\n\n")
    assert last_lines(log, 2) == ["line 998 \\xff", "line 999 \\xff"]

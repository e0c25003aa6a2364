"""Following the logs of running plotters: every byte is read once.

One thread reads what is new in all logs together, once a second: a plotter writes its lines in
any case, and waking up for each of them would cost more than it tells.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plotrun.clock import Clock

INTERVAL = 1.0
"""Seconds between two looks."""
CHUNK = 1024 * 1024
"""Bytes handed on at a time, so that a log of any size takes little memory."""
TAIL = 4096


@dataclass
class Follower:
    """One log and how far it has been read."""

    path: Path
    take: Callable[[bytes], None]
    offset: int = 0
    inode: int = 0

    def read(self) -> bytes:
        """What is new, `CHUNK` at most; a log that was truncated or replaced starts anew."""
        try:
            status = os.stat(self.path)  # noqa: PTH116 - by the thousand; cheaper than opening it
            if (status.st_size, status.st_ino) == (self.offset, self.inode):
                return b""
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size < self.offset or (self.inode and status.st_ino != self.inode):
                    self.offset = 0
                self.inode = status.st_ino
                file.seek(self.offset)
                chunk = file.read(CHUNK)
                self.offset += len(chunk)
                return chunk
        except FileNotFoundError:
            return b""


class LogWatch:
    """Reads all followed logs until it is stopped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._followers: list[Follower] = []
        self._reading = asyncio.Lock()

    def follow(self, path: Path, take: Callable[[bytes], None]) -> Follower:
        """Hand the bytes of *path*, from its beginning, to *take*, on the event loop."""
        follower = Follower(path, take)
        self._followers.append(follower)
        return follower

    async def finish(self, follower: Follower) -> None:
        """Read the rest and follow no more."""
        while await self._read([follower]):
            pass
        if follower in self._followers:
            self._followers.remove(follower)

    async def run(self) -> None:
        """Read every log, for ever."""
        while True:
            await self._clock.look_again(INTERVAL)
            while self._followers and await self._read(tuple(self._followers)) == CHUNK:
                pass  # a log that has grown long meanwhile is read to its end

    async def _read(self, followers: Sequence[Follower]) -> int:
        """Bytes that were new in the log with most of them."""
        async with self._reading:  # or two reads would take the same bytes
            chunks = await asyncio.to_thread(lambda: [follower.read() for follower in followers])
            for follower, chunk in zip(followers, chunks, strict=True):
                if chunk:
                    follower.take(chunk)
            return max(map(len, chunks), default=0)


def last_lines(path: Path, count: int = 5) -> list[str]:
    """The last lines of a log that say something."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - TAIL))
            tail = file.read(TAIL)
    except OSError:
        return []
    lines = (line.strip() for line in tail.decode("utf-8", "backslashreplace").splitlines())
    return [line for line in lines if line][-count:]

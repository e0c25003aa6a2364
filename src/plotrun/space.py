"""Disks asked for their free space, off the event loop and with a time limit.

A dead network mount blocks whoever asks it, for minutes or for ever. So every question has a
thread of its own that nobody has to wait for, and a path whose last question is still open is
not asked again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plotrun.model import Plot
from plotrun.threads import in_daemon_thread
from plotrun.workdir import temporary_bytes


@dataclass(frozen=True)
class Disk:
    """What a directory's file system says."""

    path: Path
    device: int | None = None
    """Number of the file system: two directories of one share its room."""
    free: int | None = None
    total: int | None = None
    trouble: str | None = None
    """Why it cannot be written to."""


NOT_ANSWERING = "not answering"


class Disks:
    """Asks directories; one instance for each runner, so that hung questions are known."""

    def __init__(self, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self._open: dict[Path, asyncio.Future[Disk]] = {}

    async def ask(self, paths: Sequence[Path]) -> list[Disk]:
        """The state of each path, after `timeout` seconds at the latest."""
        return list(await asyncio.gather(*(self._ask(path) for path in paths)))

    async def used(self, directories: Sequence[Path]) -> int:
        """Bytes that temporary files in *directories* take, without finished plots."""
        return await in_daemon_thread(lambda: temporary_bytes(directories), "measure")

    def move(self, work: Callable[[], Path], plot: Plot, dst: Path) -> asyncio.Future[Path]:
        """Do *work*, which brings *plot* to *dst* and answers its new path."""
        return in_daemon_thread(work, f"deliver {plot.path.name} to {dst}")

    async def _ask(self, path: Path) -> Disk:
        question = self._open.get(path) or self._start(path)
        done, _ = await asyncio.wait({question}, timeout=self.timeout)
        return question.result() if done else Disk(path, trouble=NOT_ANSWERING)

    def _start(self, path: Path) -> asyncio.Future[Disk]:
        question = in_daemon_thread(lambda: look(path), f"disk {path}")
        self._open[path] = question
        question.add_done_callback(lambda _: self._open.pop(path, None))
        return question


def look(path: Path) -> Disk:
    """Ask a directory's file system now; may block for ever on a dead mount."""
    try:
        device = path.stat().st_dev
        free, total = free_bytes(path)
    except FileNotFoundError:
        return Disk(path, trouble="missing")
    except OSError as error:
        return Disk(path, trouble=error.strerror or str(error))
    trouble = None
    if not path.is_dir():
        trouble = "not a directory"
    elif _read_only(path):
        trouble = "read-only"
    elif not os.access(path, os.W_OK | os.X_OK):
        trouble = "not writable"
    return Disk(path, device, free, total, trouble)


def free_bytes(path: Path) -> tuple[int, int]:
    """Free bytes (for this user) and all bytes of the file system that *path* is on."""
    import psutil

    usage = psutil.disk_usage(os.fspath(path))
    return usage.free, usage.total


def _read_only(path: Path) -> bool:
    if not hasattr(os, "statvfs"):
        return False
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def physical_disk(device: int) -> str:
    """A name for the disk that a file system lies on: partitions of one disk share it.

    Where that cannot be told (network mounts, other systems than Linux) the file system itself.
    """
    if not hasattr(os, "major"):
        return f"device {device}"
    place = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}")
    try:
        real = place.resolve(strict=True)
    except OSError:
        return f"device {device}"
    return str(real.parent if (real / "partition").exists() else real)

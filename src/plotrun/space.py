"""Disks asked for their free space, off the event loop and with a time limit.

A dead network mount blocks whoever asks it, for minutes or for ever. So every question has a
thread of its own that nobody has to wait for, and a path whose last question is still open is
not asked again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
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
    mount: Path | None = None
    """The mount point that the directory lies at or below."""
    marks: frozenset[str] = frozenset()
    """Which of `MARKS` are in it."""


NOT_ANSWERING = "not answering"
MARKS = ("plotrun.skip", "chia_plot_sink_disable")
"""Names of files that a user puts into a directory to mark it; chia_plot_sink knows the second.
They are looked for with each question, since nobody else may touch a disk that could hang."""


class Disks:
    """Asks directories; one instance for each runner, so that hung questions are known."""

    def __init__(self, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self._open: dict[Path, asyncio.Future[Disk]] = {}
        self._hanging: set[Path] = set()
        self._devices: dict[Path, int] = {}

    async def ask(self, paths: Sequence[Path]) -> list[Disk]:
        """The state of each path, after `timeout` seconds at the latest.

        One that has not answered in that time answers nothing at once from then on, until it
        does: it delays others only once.
        """
        return list(await asyncio.gather(*(self._ask(path) for path in paths)))

    def move(self, work: Callable[[], Path], plot: Plot, dst: Path) -> asyncio.Future[Path]:
        """Do *work*, which brings *plot* to *dst* and answers its new path."""
        return in_daemon_thread(work, f"deliver {plot.path.name} to {dst}")

    async def _ask(self, path: Path) -> Disk:
        question = self._open.get(path) or self._start(path)
        if path in self._hanging:
            await asyncio.sleep(0)
        else:
            await asyncio.wait({question}, timeout=self.timeout)
        if not question.done():
            self._hanging.add(path)
            return Disk(path, trouble=NOT_ANSWERING)
        return question.result()

    async def devices(self, paths: Iterable[Path]) -> dict[Path, int | None]:
        """The file system of each directory, None where it does not answer.

        What was answered once is not asked again: for directories that are in use.
        """
        asked = set(paths)
        for disk in await self.ask(sorted(asked - self._devices.keys())):
            if disk.device is not None:
                self._devices[disk.path] = disk.device
        return {path: self._devices.get(path) for path in asked}

    async def used(self, directories: Sequence[Path]) -> list[int]:
        """Bytes that temporary files in each of the directories take; without a time limit."""
        return await in_daemon_thread(lambda: [*map(temporary_bytes, directories)], "measure")

    async def memory(self) -> int:
        """Bytes of memory that programs could have now."""
        import psutil

        return int(psutil.virtual_memory().available)  # no disk: it answers at once

    def _start(self, path: Path) -> asyncio.Future[Disk]:
        question = in_daemon_thread(lambda: look(path), f"disk {path}")
        self._open[path] = question
        question.add_done_callback(lambda _: self._answered(path))
        return question

    def _answered(self, path: Path) -> None:
        del self._open[path]
        self._hanging.discard(path)


def look(path: Path) -> Disk:
    """Ask a directory's file system now; may block for ever on a dead mount."""
    try:
        device = path.stat().st_dev
        free, total = free_bytes(path)
        mount = mount_point(path)
        marks = frozenset(name for name in MARKS if (path / name).exists())
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
    return Disk(path, device, free, total, trouble, mount, marks)


def mount_point(path: Path) -> Path:
    """The directory at or above *path* on which its file system is mounted.

    Raises:
        OSError: one of the directories cannot be looked at.
    """
    at = path.resolve()
    device = at.stat().st_dev
    while at.parent != at and at.parent.stat().st_dev == device:
        at = at.parent
    return at


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

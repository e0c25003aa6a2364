"""Simulated disks: how much is free on them, by what the simulated plotters have made."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plotrun.copying import DeliveryFailed
from plotrun.model import Plot
from plotrun.simulation.clock import SimulatedClock
from plotrun.simulation.sharing import Sharing
from plotrun.space import Disk, Disks

DEVICES = 1 << 40
"""Simulated file systems are numbered from here: no real one has such a number."""
ENDLESS = 1 << 62
"""Bytes of a disk whose size is not known."""
HARD_DISK = 150e6
"""Bytes a second of a destination that nothing is known of: a hard disk, written to in a row."""


@dataclass(frozen=True)
class FileSystem:
    """A file system as the simulation begins."""

    name: str
    total: int
    """Bytes."""
    free: int
    """Bytes."""
    bandwidth: float | None = None
    """Bytes a second, read and written together; None: no limit."""


class SimulatedDisks(Disks):
    """Answers for directories by what simulated plotters and deliveries took of their disks."""

    def __init__(self, directories: Mapping[Path, FileSystem], clock: SimulatedClock) -> None:
        super().__init__()
        self._of = dict(directories)
        self._clock = clock
        self.systems = tuple(dict.fromkeys(directories.values()))
        limits = {s.name: s.bandwidth for s in self.systems if s.bandwidth is not None}
        self.sharing = Sharing(limits)
        self._taken: dict[Path, tuple[FileSystem, int]] = {}
        """Bytes taken by each plot and by the temporary files in each directory."""
        self._sums = dict.fromkeys(self.systems, 0)

    def system(self, path: Path) -> FileSystem:
        """The file system that *path* is on."""
        for directory in (path, *path.parents):
            if directory in self._of:
                return self._of[directory]
        raise KeyError(path)

    def free(self, system: FileSystem) -> int:
        """Bytes free now."""
        return system.free - self._sums[system]

    def take(self, path: Path, size: int) -> None:
        """Let *path* take *size* bytes from now on; 0: nothing any more.

        Raises:
            OSError: there is no room for it.
        """
        key, system = _key(path), self.system(path)
        before_on, before = self._taken.pop(key, (system, 0))
        self._sums[before_on] -= before
        if size > self.free(system) and size > before:
            self._sums[before_on] += before
            self._taken[key] = before_on, before
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        self._sums[system] += size
        if size:
            self._taken[key] = system, size
        self._clock.changed()

    async def ask(self, paths: Sequence[Path]) -> list[Disk]:
        """The state of each path."""
        return [self._look(path) for path in paths]

    def _look(self, path: Path) -> Disk:
        try:
            system = self.system(path)
        except KeyError:  # of a plotter by hand
            return Disk(path, trouble="missing")
        device = DEVICES + self.systems.index(system)
        return Disk(path, device, max(0, self.free(system)), system.total, mount=path)

    async def used(self, directories: Sequence[Path]) -> list[int]:
        """Bytes that temporary files in each of the directories take."""
        return [self._taken.get(path, (None, 0))[1] for path in directories]

    async def memory(self) -> int:
        """Memory is not simulated: there is always enough."""
        return ENDLESS

    def move(self, work: Callable[[], Path], plot: Plot, dst: Path) -> asyncio.Future[Path]:
        """Copy the plot in simulated time, as fast as both disks allow."""
        return asyncio.ensure_future(self._move(work, plot, dst))

    async def _move(self, work: Callable[[], Path], plot: Plot, dst: Path) -> Path:
        try:
            await self.copy(plot.path, dst / plot.path.name, plot.size)
        except OSError as error:
            raise DeliveryFailed(f"{dst}: {error.strerror}") from error
        return work()

    async def copy(self, source: Path, destination: Path, size: int) -> None:
        """Copy a file in simulated time; it is at its destination only afterwards.

        Raises:
            OSError: the destination is full.
        """
        here, there = self.system(source), self.system(destination)
        if here != there:
            if size > self.free(there):
                raise OSError(errno.ENOSPC, "No space left on device", str(destination))
            rate = min(here.bandwidth or HARD_DISK, there.bandwidth or HARD_DISK)
            await self.sharing.work(size / rate, {here.name: rate, there.name: rate})
        self.take(destination, size)


def _key(path: Path) -> Path:
    """A plot is the same one wherever it lies, and whatever follows its name while it grows."""
    return Path(path.name.partition(".")[0]) if path.name.startswith("plot-") else path

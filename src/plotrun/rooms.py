"""How much room each file system will really have: what is promised and still to be taken counts.

Two directories of one file system share its room.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from plotrun.model import Candidate, PlotStage, Worker
from plotrun.space import Disk, Disks
from plotrun.store import Store
from plotrun.workdir import own_name


@dataclass
class Promise:
    """Room at a destination that a plot on its way will still take."""

    device: int | None
    path: Path
    bytes: int

    def on(self, disk: Disk) -> bool:
        """Whether it is of the file system of *disk*."""
        if self.device is None or disk.device is None:
            return self.path == disk.path
        return self.device == disk.device


@dataclass
class Rooms:
    """Looks at directories, and knows what plots and plotters will still take of them."""

    disks: Disks
    store: Store
    workers: Callable[[], Sequence[Worker]]
    """All that are alive, also plotters that plotrun did not start."""
    promises: dict[str, Promise] = field(default_factory=dict)
    """Room promised to plots on their way, by `promise_key`."""

    async def look(self, paths: Iterable[Path]) -> Look:
        """The directories *paths* as they are now.

        Promises and workers are those from before the disks were asked, and promises made
        meanwhile: a plot that arrives between the two counts twice for a moment, and never not
        at all.
        """
        wanted = list(dict.fromkeys(paths))
        workers = self.workers()
        promises = {name: replace(promise) for name, promise in self.promises.items()}
        plotting = [w for w in workers if w.occupies_slot and w.sizes is not None]
        disks, devices, uses = await asyncio.gather(
            self.disks.ask(wanted),
            self.disks.devices({d for w in plotting for d in _directories(w)}),
            asyncio.to_thread(self.store.uses),
        )
        return Look(
            {disk.path: disk for disk in disks},
            devices,
            uses,
            workers,
            self.promises | promises,
        )


@dataclass(frozen=True)
class Look:
    """Directories at one moment."""

    disks: Mapping[Path, Disk]
    devices: Mapping[Path, int | None]
    """File systems of the workers' directories."""
    uses: Mapping[Path, int]
    workers: Sequence[Worker]
    promises: Mapping[str, Promise]

    def destinations(
        self,
        paths: Sequence[Path],
        needed: int,
        source: Path | None = None,
        without: str = "",
        more: Sequence[Promise] = (),
    ) -> list[Candidate]:
        """The destinations *paths*, in the same order, for a plot of *needed* bytes in *source*.

        The promise *without* is not counted; those of *more* are, beside the others.
        """
        promises = [p for name, p in self.promises.items() if name != without] + list(more)
        here = self.disks[source].device if source is not None else None
        found = []
        for position, path in enumerate(paths):
            disk = self.disks[path]
            lies_there = here is not None and here == disk.device
            on_way = sum(promise.path == path for promise in promises)
            need = 0 if lies_there else needed
            found.append(self._candidate(disk, position, promises, need, on_way))
        return found

    def temporary(
        self, paths: Sequence[Path], second: bool, needed: Callable[[Disk], int]
    ) -> list[Candidate]:
        """The temporary directories *paths*, for a worker that takes *needed* of each disk."""
        busy = [worker for worker in self.workers if worker.occupies_slot]
        promises = list(self.promises.values())
        found = []
        for position, path in enumerate(paths):
            disk, here = self.disks[path], sum(w.plots_in(path, second) for w in busy)
            found.append(self._candidate(disk, position, promises, needed(disk), here))
        return found

    def _candidate(
        self, disk: Disk, position: int, promises: Sequence[Promise], needed: int, workers: int
    ) -> Candidate:
        expected = self.to_be_taken(disk)
        return Candidate(
            path=disk.path,
            position=position,
            free=disk.free,
            promised=sum(promise.bytes for promise in promises if promise.on(disk)),
            expected=sum(expected),
            takers=len(expected),
            needed=needed,
            workers=workers,
            last_used=self.uses.get(disk.path, 0),
            trouble=disk.trouble,
            mount=disk.mount,
            marks=disk.marks,
        )

    def to_be_taken(self, disk: Disk, without: str = "") -> list[int]:
        """What each running plotter that takes more of a disk will take; not that of *without*."""
        here = self.same(disk)
        left = (still_to_take(worker, here) for worker in self.workers if worker.id != without)
        return [count for count in left if count]

    def same(self, disk: Disk) -> set[Path]:
        """Those of the workers' directories that are on the file system of *disk*."""
        return {
            path
            for path, device in self.devices.items()
            if path == disk.path or (device is not None and device == disk.device)
        }


def still_to_take(worker: Worker, here: Collection[Path]) -> int:
    """Bytes that a worker will still take of the file system with the directories *here*.

    At its highest it takes what its plotter says; and, if it goes on while a finished plot is
    being brought away, as much as that one.
    """
    sizes, plots = worker.sizes, worker.plots_left
    if sizes is None or not worker.occupies_slot or plots == 0:
        return 0
    most, used = most_taken(worker, here), used_in(worker, here)
    tmp2 = around(worker.tmp2_dir, worker.id)
    if tmp2 is not None and tmp2 in here and tmp2 == worker.dst:
        most -= sizes.plot  # that much of the destination is promised to its plot
    left = max(0, most - used)
    keeps = around(worker.keeps_plots_in, worker.id)
    if keeps is not None and keeps in here and plots > 1:
        left += max(0, sizes.plot - waiting_bytes(worker))
    return left


def most_taken(worker: Worker, here: Collection[Path]) -> int:
    """Bytes that temporary files of one plot take of a file system at their highest."""
    sizes = worker.sizes
    in_tmp, in_tmp2 = _is_in(worker, here)
    if sizes is None or not (in_tmp or in_tmp2):
        return 0
    if worker.tmp2_dir is None or (in_tmp and in_tmp2):
        return sizes.tmp
    return (sizes.apart or (sizes.tmp, sizes.tmp))[in_tmp2]


def used_in(worker: Worker, here: Collection[Path]) -> int:
    """Bytes that its temporary files took of a file system when they were measured last."""
    in_tmp, in_tmp2 = _is_in(worker, here)
    return worker.progress.tmp_bytes * in_tmp + worker.progress.tmp2_bytes * in_tmp2


def _is_in(worker: Worker, here: Collection[Path]) -> tuple[bool, bool]:
    """Whether its tmp, and its tmp2, is one of the directories *here*."""
    tmp, tmp2 = (around(directory, worker.id) for directory in (worker.tmp_dir, worker.tmp2_dir))
    return tmp is not None and tmp in here, tmp2 is not None and tmp2 in here


async def no_room_to_go_on(rooms: Rooms, worker: Worker) -> bool:
    """Whether a plotter that goes on would have no room for its next plot, by plots that wait.

    Then it is better asked to end after the plot under way: one that fails loses hours.
    """
    keeps, sizes = around(worker.keeps_plots_in, worker.id), worker.sizes
    waits = any(work.waiting is not None for work in worker.plots)
    if not waits or keeps is None or sizes is None or worker.plots_left <= 1:
        return False
    look = await rooms.look([keeps])
    disk = look.disks[keeps]
    if disk.free is None:
        return False
    # The next plot takes at its highest what this one does, and this one will lie beside it.
    here = look.same(disk)
    used = used_in(worker, here)
    others = sum(look.to_be_taken(disk, without=worker.id))
    promised = sum(promise.bytes for promise in look.promises.values() if promise.on(disk))
    return disk.free + used - others - promised < sizes.plot + most_taken(worker, here)


def memory_to_be_taken(worker: Worker) -> int:
    """Bytes of memory that a worker will still take, as far as its plotter tells."""
    if worker.sizes is None or not worker.sizes.memory or not worker.occupies_slot:
        return 0
    return max(0, worker.sizes.memory - worker.progress.memory)


def waiting_bytes(worker: Worker) -> int:
    """Bytes of the finished plots of a worker that have not been brought away."""
    there = (PlotStage.FINISHED, PlotStage.DELIVERING)
    return sum(work.plot.size for work in worker.plots if work.stage in there)


@functools.lru_cache(maxsize=1024)  # asked for every worker before every start
def around(directory: Path | None, worker: str) -> Path | None:
    """The user's directory that one of a worker's own is in; others have none of their own."""
    for path in (directory, *directory.parents) if directory else ():
        if path.name == own_name(worker):
            return path.parent
    return directory


def _directories(worker: Worker) -> set[Path]:
    own = (worker.tmp_dir, worker.tmp2_dir, worker.keeps_plots_in)
    return {path for path in (around(each, worker.id) for each in own) if path is not None}

"""The picture of all disks, and how a destination is chosen, for commands.

By the store, so that it is the same whether or not a runner is up; docs/space.md has its JSON.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plotrun.clock import SystemClock
from plotrun.delivery import Deliveries
from plotrun.farm.farm import Farms
from plotrun.farm.inventories import Inventories
from plotrun.finished_plot import promises_of
from plotrun.learned_sizes import sizes_of
from plotrun.manager import Plugins
from plotrun.model import Job, Plot, PlotStage, Worker
from plotrun.plotfile import is_plot_name
from plotrun.rooms import Look, Promise, Rooms
from plotrun.settings.schema import Schema
from plotrun.settings.settings import Settings
from plotrun.space import Disk, Disks
from plotrun.store import Store
from plotrun.threads import in_daemon_thread

FORM = 1
"""Number of both JSON forms; it changes when a field goes or changes its meaning."""


@dataclass(frozen=True)
class Overview:
    """What a command knows: the settings, and the state of a runner that may be up or not."""

    settings: Settings
    schema: Schema
    plugins: Plugins
    store: Store
    workers: Sequence[Worker]
    """All that are alive, also plotters that plotrun did not start."""
    disks: Disks | None = None
    """Who asks the disks, where they are asked again and again: then hung questions are known."""

    async def deliveries(self) -> Deliveries:
        """The deliveries under way, with the room that is promised to them."""
        disks = self.disks or Disks(self.settings.general.disk_timeout)
        rooms = Rooms(disks, self.store, lambda: self.workers)
        farms = Farms(
            self.store,
            SystemClock(),
            Inventories(self.store, disks.timeout),
            lambda: self.settings.log_dir,
            tell=lambda _: None,
            workers=lambda: self.workers,
        )
        deliveries = Deliveries(self.plugins, rooms, farms, lambda: self.settings)
        for worker in self.workers:
            for key, dst, size, source in promises_of(worker):
                await deliveries.promise(key, dst, size, source)
        return deliveries

    def plot_bytes(self, job: Job) -> int:
        """Bytes of the next plot of *job*."""
        return sizes_of(self.schema.plotters[job.plotter], job, self.store).plot

    def tmp_bytes(self, job: Job, second: bool) -> int:
        """Bytes that the next plot of *job* takes of its tmp, or of its tmp2."""
        sizes = sizes_of(self.schema.plotters[job.plotter], job, self.store)
        return (sizes.apart or (sizes.tmp, sizes.tmp))[second] if job.tmp2 else sizes.tmp


# plotrun disks


async def disks(overview: Overview) -> dict[str, Any]:
    """All temporary directories and destinations, by file system."""
    deliveries = await overview.deliveries()
    paths = [p for job in overview.settings.jobs for p in (*job.tmp, *job.tmp2, *job.dst)]
    look = await deliveries.rooms.look(paths)
    rows = await asyncio.gather(
        *(_row(overview, deliveries, look, disk) for disk in look.disks.values())
    )
    systems: dict[object, dict[str, Any]] = {}
    for disk, row in zip(look.disks.values(), rows, strict=True):
        key = disk.path if disk.device is None else disk.device
        system = systems.setdefault(key, _system(look, disk))
        system["directories"].append(row)
    return {"form": FORM, "file_systems": list(systems.values())}


def _system(look: Look, disk: Disk) -> dict[str, Any]:
    to_take = look.to_be_taken(disk)
    return {
        "mount": None if disk.mount is None else str(disk.mount),
        "total": disk.total,
        "free": disk.free,
        "promised": sum(p.bytes for p in look.promises.values() if p.on(disk)),
        "expected": sum(to_take),
        "takers": len(to_take),
        "directories": [],
    }


async def _row(
    overview: Overview, deliveries: Deliveries, look: Look, disk: Disk
) -> dict[str, Any]:
    path, jobs = disk.path, overview.settings.jobs
    uses = {
        "tmp": [job for job in jobs if path in job.tmp],
        "tmp2": [job for job in jobs if path in job.tmp2],
        "dst": [job for job in jobs if path in job.dst],
    }
    return {
        "path": str(path),
        "used_as": [use for use, users in uses.items() if users],
        "jobs": list(dict.fromkeys(job.name for users in uses.values() for job in users)),
        "trouble": disk.trouble,
        "marks": sorted(disk.marks),
        "workers": sum(
            w.occupies_slot and (w.plots_in(path) or w.plots_in(path, True)) for w in look.workers
        ),
        "plots": await _count_plots(disk, deliveries.rooms.disks) if uses["dst"] else None,
        "coming": sum(promise.path == path for promise in look.promises.values()),
        "refused": _refused(deliveries, look, uses["dst"], disk),
        "fits": {job.name: fits(overview, deliveries, look, job, disk) for job in uses["dst"]},
        "fits_tmp": {
            job.name: _fits_tmp(look, disk, overview.tmp_bytes(job, use == "tmp2"))
            for use in ("tmp", "tmp2")
            for job in uses[use]
        },
    }


def _refused(deliveries: Deliveries, look: Look, jobs: Sequence[Job], disk: Disk) -> str | None:
    """Why a destination takes no plot of any of its jobs, whatever its room."""
    judged = [deliveries.judge(look, replace(job, dst=(disk.path,)), None, 0) for job in jobs]
    if disk.trouble is not None or not judged or any(each.left for each in judged):
        return None
    return judged[0].rejected.get(disk.path)


def fits(overview: Overview, deliveries: Deliveries, look: Look, job: Job, disk: Disk) -> int:
    """How many more plots of *job* the plugins would let onto a destination."""
    size, alone = overview.plot_bytes(job), replace(job, dst=(disk.path,))
    if not size:
        return 0

    def takes(plots: int) -> bool:
        before = Promise(disk.device, disk.path, (plots - 1) * size)
        return bool(deliveries.judge(look, alone, None, size, more=[before]).left)

    least, most = 0, (disk.free or 0) // size
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if takes(middle) else (least, middle - 1)
    return least


def _fits_tmp(look: Look, disk: Disk, needed: int) -> int:
    (candidate,) = look.temporary([disk.path], False, lambda _: needed)
    return candidate.room // needed if needed and disk.trouble is None else 0


async def _count_plots(disk: Disk, disks: Disks) -> int | None:
    """Plots that lie directly in a directory; None if it does not tell in time."""
    if disk.free is None:
        return None
    count = in_daemon_thread(lambda: _plots_in(disk.path), f"count {disk.path}")
    done, _ = await asyncio.wait({count}, timeout=disks.timeout)
    return count.result() if done and count.exception() is None else None


def _plots_in(path: Path) -> int:
    with os.scandir(path) as entries:
        return sum(is_plot_name(entry.name) for entry in entries)


# plotrun why-dst


async def why_dst(overview: Overview, job: Job) -> dict[str, Any]:
    """Each destination of *job*, and why the next plot would go there or not.

    The next plot is one that waits; where none does, the next one that is made.
    """
    plot = _waiting(overview.workers, job)
    size = plot.size if plot is not None else overview.plot_bytes(job)
    source = plot.path.parent if plot is not None else job.tmp[0]
    deliveries = await overview.deliveries()
    look = await deliveries.rooms.look([*job.dst, source])
    judged = deliveries.judge(look, job, plot, size, source)
    best = deliveries.best(job, plot, size, judged.left)
    return {
        "form": FORM,
        "job": job.name,
        "plot": None if plot is None else str(plot.path),
        "size": size,
        "chosen": None if best is None else str(best.path),
        "destinations": [
            {
                "path": str(candidate.path),
                "free": candidate.free,
                "promised": candidate.promised,
                "expected": candidate.expected,
                "needed": candidate.needed,
                "coming": candidate.workers,
                "rejected": judged.rejected.get(candidate.path),
            }
            for candidate in judged.candidates
        ],
    }


def _waiting(workers: Sequence[Worker], job: Job) -> Plot | None:
    for worker in workers:
        for work in worker.plots:
            if worker.job == job.name and work.stage is PlotStage.FINISHED:
                return work.plot
    return None

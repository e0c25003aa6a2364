"""A new worker: its directories, its destination where one is needed, and its record."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plotrun.command_line import plotter_argv
from plotrun.delivery import Deliveries, NoDestination
from plotrun.estimate import PLOTS_ASKED, timing_of
from plotrun.finished_plot import promise_key
from plotrun.learned_sizes import size_key, sizes_of
from plotrun.manager import Plugins
from plotrun.model import Candidate, Deliver, Hold, Job, Stage, Worker
from plotrun.plotter import Plotter, Run
from plotrun.settings.settings import Settings
from plotrun.space import Disks
from plotrun.store import Store
from plotrun.workdir import FINISHED, own_name


@dataclass(frozen=True)
class Places:
    """Directories chosen for a worker; those named ``…_dir`` are its own."""

    tmp: Path
    tmp_dir: Path
    tmp2_dir: Path | None
    final_dir: Path
    dst: Path | None
    more_final_dirs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Placement:
    """Chooses directories, by the plugins' word, among those that can be written to."""

    plugins: Plugins
    store: Store
    disks: Disks
    deliveries: Deliveries

    async def place(
        self,
        job: Job,
        plotter: Plotter,
        worker: str,
        plots: int,
        workers: Sequence[Worker],
        settings: Settings,
    ) -> Places | Hold:
        """Directories for *worker*, which is to make *plots* plots; or why there are none."""
        tmp = await self._temporary(job, workers, settings, second=False)
        if isinstance(tmp, Hold):
            return tmp
        tmp2: Path | None = None
        if job.tmp2:
            chosen = await self._temporary(job, workers, settings, second=True)
            if isinstance(chosen, Hold):
                return chosen
            tmp2 = chosen
        dst = None
        if job.deliver is Deliver.PLOTTER or job.tmp2_in_dst:
            found = await self._destination(job, plotter, worker, plots)
            if isinstance(found, Hold):
                return found
            dst = found
            tmp2 = dst if job.tmp2_in_dst else tmp2
        places = _places(job, plotter, worker, tmp, tmp2, dst)
        if job.deliver is Deliver.PLOTTER and plotter.chooses_dst:
            others = await self.disks.ask([path for path in job.dst if path != dst])
            usable = tuple(disk.path for disk in others if disk.trouble is None)
            places = replace(places, more_final_dirs=usable)
        return places

    async def _temporary(
        self, job: Job, workers: Sequence[Worker], settings: Settings, second: bool
    ) -> Path | Hold:
        """One of the job's ``tmp``, or (*second*) ``tmp2``; or why none can be taken."""
        disks = await self.disks.ask(job.tmp2 if second else job.tmp)
        uses = await asyncio.to_thread(self.store.uses)
        busy = [worker for worker in workers if worker.occupies_slot]
        candidates = [
            Candidate(
                path=disk.path,
                position=position,
                free=disk.free,
                workers=sum(worker.plots_in(disk.path, second) for worker in busy),
                last_used=uses.get(disk.path, 0),
                trouble=disk.trouble,
            )
            for position, disk in enumerate(disks)
        ]
        left, rejected = self.plugins.left_by_filters(
            "plotrun_filter_tmp",
            candidates,
            job=job,
            second=second,
            workers=workers,
            settings=settings,
        )
        if not left:
            reasons = "; ".join(f"{c.path}: {rejected[c.path]}" for c in candidates)
            return Hold(f"no temporary directory: {reasons}")
        answer = self.plugins.first(
            "plotrun_choose_tmp", job=job, second=second, candidates=left, workers=workers
        )
        known = any(candidate.path == answer for candidate in left)
        return answer if known else left[0].path

    async def _destination(
        self, job: Job, plotter: Plotter, worker: str, plots: int
    ) -> Path | Hold:
        """A destination that has room for all plots of the worker, promised to them."""
        size = (await asyncio.to_thread(sizes_of, plotter, job, self.store)).plot
        chosen = await self.deliveries.choose(
            promise_key(worker, 1), job, None, size * max(1, plots)
        )
        if isinstance(chosen, NoDestination):
            return Hold(f"no destination: {chosen.words}")
        for number in range(1, max(1, plots) + 1):
            await self.deliveries.promise(promise_key(worker, number), chosen, size)
        return chosen


def _places(
    job: Job, plotter: Plotter, worker: str, tmp: Path, tmp2: Path | None, dst: Path | None
) -> Places:
    own = own_name(worker)
    tmp_dir = tmp / own
    tmp2_dir = tmp2 / own if tmp2 is not None and tmp2 != tmp else None
    beside = tmp2_dir if plotter.finishes_in_tmp2 and tmp2_dir is not None else tmp_dir
    if job.deliver is Deliver.PLOTTER:
        assert dst is not None
        return Places(tmp, tmp_dir, tmp2_dir, dst, dst)
    return Places(tmp, tmp_dir, tmp2_dir, beside / FINISHED, dst)


def new_worker(
    name: str,
    job: Job,
    plotter: Plotter,
    plots: int,
    most: int,
    places: Places,
    now: float,
    log_dir: Path,
    store: Store,
) -> Worker:
    """The record of a worker that is to make *plots* plots in these places, 0: endlessly.

    *most* is the number that its process is told, 0: none.
    """
    k: int | None = getattr(job.keys(plotter.keys), "k", None)
    run = Run(job, most, places.tmp_dir, places.tmp2_dir, places.final_dir, places.more_final_dirs)
    return Worker(
        id=name,
        job=job.name,
        plotter=plotter.name,
        stage=Stage.CREATED,
        created_at=now,
        tmp=places.tmp,
        tmp_dir=places.tmp_dir,
        tmp2_dir=places.tmp2_dir,
        final_dir=places.final_dir,
        more_final_dirs=places.more_final_dirs,
        dst=places.dst,
        k=k,
        plots_wanted=plots,
        plot_size=sizes_of(plotter, job, store).plot,
        size_key=size_key(plotter, job),
        timing=timing_of(plotter, store.measured.last(plotter.name, k, PLOTS_ASKED)),
        log=log_dir / f"{name}.log",
        argv=tuple(plotter_argv(plotter.command(job), plotter.arguments(run))),
        settings=job.written,
    )

"""The finished plots of a worker: found in its directories, taken into its record, brought."""

from __future__ import annotations

import asyncio
from pathlib import Path

from plotrun.finished_plot import FinishedPlot, promise_key
from plotrun.model import EventKind, Job, Plot, PlotStage, PlotWork
from plotrun.plot_times import TimesOfPlots
from plotrun.plotter import Plotter
from plotrun.threads import in_daemon_thread
from plotrun.workdir import FINISHED, least_whole_bytes, new_plots, own_name, rescue_whole
from plotrun.worker_record import WorkerRecord

PLOTS_KEPT = 20
"""Plots of an endless process that its record keeps: it is written with every step."""


class WorkerPlots:
    """Takes in every finished plot of one worker once, and brings each all the way."""

    def __init__(
        self, record: WorkerRecord, job: Job, plotter: Plotter, resumed: bool, times: TimesOfPlots
    ) -> None:
        self._record = record
        self._around = record.around
        self._job = job
        self._plotter = plotter
        self._resumed = resumed
        self._times = times
        self._bringing: dict[int, asyncio.Task[str | None]] = {}

    async def brought(self) -> list[str]:
        """Wait until every plot has gone all the way; answers what failed beside."""
        ended = await asyncio.gather(*self._bringing.values())
        return [failure for failure in ended if failure is not None]

    def release_what_never_comes(self) -> None:
        """The room promised to plots that this worker will not make any more."""
        worker = self._record.worker
        next_one = worker.plots_seen + 1
        for number in range(next_one, max(worker.plots_wanted, next_one) + 1):
            self._around.deliveries.release(promise_key(worker.id, number))
        self._around.room.set()  # a waiting plot may have room now
        self._around.room.clear()

    def own_directories(self) -> dict[Path, Path]:
        """Where the worker's finished plots may lie, and its own directory there."""
        worker = self._record.worker
        found = {d: d for d in (worker.tmp_dir, worker.tmp2_dir) if d is not None}
        others = self._plotter.other_dirs(self._job)
        return found | {other: other / own_name(worker.id) for other in others}

    async def collect(self) -> None:
        """Take in finished plots that are not known yet, and bring them."""
        worker = self._record.worker
        known = {work.plot.path.name for work in worker.plots}
        found = await in_daemon_thread(lambda: self._look_for_plots(known), "look for plots")
        for plot in found:
            work = PlotWork(self._record.worker.plots_seen + 1, plot, PlotStage.FINISHED)
            event = self._record.event(EventKind.PLOT_FINISHED, plot=str(plot.path), size=plot.size)
            await self._record.save(event, plots=(*self._record.worker.plots, work))
            self._forget_plots()
            if worker.dst is not None and not worker.plots_wanted:
                key = promise_key(worker.id, work.number + 1)  # for the next one
                await self._around.deliveries.promise(key, worker.dst, worker.plot_size)
        for work in self._record.worker.plots:
            if work.number not in self._bringing:
                way = FinishedPlot(self._record, self._job, work.number, self._resumed, self._times)
                self._bringing[work.number] = asyncio.create_task(way.bring())

    def _forget_plots(self) -> None:
        """Keep the last plots only: of those that went all the way without a failure."""
        worker = self._record.worker
        for work in worker.plots[:-PLOTS_KEPT]:
            task = self._bringing.get(work.number)
            if work.number != worker.plots_forgotten + 1 or task is None or not task.done():
                return  # the record is of one piece
            if task.result() is not None or work.stage is not PlotStage.DONE:
                return
            del self._bringing[work.number]
            ids = tuple(known for known in worker.plot_ids if known != work.plot.plot_id)
            self._record.change(plots=worker.plots[1:], plots_forgotten=work.number, plot_ids=ids)
            worker = self._record.worker

    def _look_for_plots(self, known: set[str]) -> list[Plot]:
        """Finished plots in the final directory; after a failure, in the worker's own as well."""
        worker, places = self._record.worker, self.own_directories()
        own = {*places.values()}
        where = {worker.final_dir, *worker.more_final_dirs, *(d / FINISHED for d in own)}
        if worker.outcome is not None:
            where |= {*places, *own}
        found = []
        for directory in filter(None, where):
            if worker.progress.whole and self._plotter.whole_suffix and directory in own:
                least = least_whole_bytes(worker.plot_size, worker.k)
                rescue_whole(directory, self._plotter.whole_suffix, least)
            ids = None if own & {directory, directory.parent} else worker.plot_ids
            found += new_plots(directory, known, ids)
        return found

"""A finished plot on its way: checked, delivered, and the post-commands run for it."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from pathlib import Path

from plotrun import copying
from plotrun.delivery import RETRY_SECONDS, NoDestination
from plotrun.model import Deliver, EventKind, Job, Measured, Plot, PlotStage, PlotWork, Worker
from plotrun.plot_times import TimesOfPlots
from plotrun.plotfile import NotAPlot, read_plot
from plotrun.threads import in_daemon_thread
from plotrun.user_commands import run_post_commands
from plotrun.worker_record import WorkerRecord

TMP_SEEN_WELL = 600.0
"""Seconds that a plot must have taken, or its temporary files were looked at too seldom."""


class FinishedPlot:
    """One plot of a worker, from the file that the plotter left to the end of its commands."""

    def __init__(
        self, record: WorkerRecord, job: Job, number: int, resumed: bool, times: TimesOfPlots
    ) -> None:
        self._record = record
        self._around = record.around
        self._job = job
        self._number = number
        self._resumed = resumed
        self._times = times
        self._delivery_seconds: float | None = None
        self._failed: dict[Path, str] = {}
        """Destinations that failed in this round: another is tried before them."""

    @property
    def _work(self) -> PlotWork:
        return self._record.plot(self._number)

    @property
    def _key(self) -> str:
        return promise_key(self._record.worker.id, self._number)

    async def bring(self) -> str | None:
        """Go the whole way; answers the failure that ends the worker, if there is one."""
        if self._work.stage is PlotStage.FINISHED:
            bad = await self._check()
            if bad is not None:
                return bad
        if self._work.stage in (PlotStage.FINISHED, PlotStage.DELIVERING):
            await self._deliver()
        if self._work.stage in (PlotStage.DELIVERED, PlotStage.POST_COMMAND):
            return await self._post_commands()
        return None

    async def _check(self) -> str | None:
        plot = self._work.plot

        def ask() -> list[str]:
            answers = self._around.plugins.answers(
                "plotrun_check_plot", plot=plot, job=self._job, settings=self._around.settings()
            )
            return [str(answer) for answer in answers]

        reasons = await in_daemon_thread(ask, f"check {plot.path.name}")
        if not reasons:
            return None
        why = "; ".join(reasons)
        self._record.change_plot(self._number, stage=PlotStage.REJECTED, waiting=why)
        event = self._record.event(EventKind.PLOT_REJECTED, plot=str(plot.path), reason=why)
        await self._record.save(event)
        return f"the plot {plot.path} was rejected: {why}"

    # Delivery

    async def _deliver(self) -> None:
        """Bring the plot to a destination, however long it has to wait for one."""
        worker = self._record.worker
        final = (worker.final_dir, *worker.more_final_dirs)
        if self._job.deliver is Deliver.PLOTTER and self._work.plot.path.parent in final:
            self._around.deliveries.release(self._key)  # its room is taken, and not free
            await self._delivered(self._work.plot)
            return
        while True:
            dst = await self._destination()
            arrived = await self._bring_to(dst)
            if arrived is not None:
                await self._delivered(arrived)
                return

    async def _destination(self) -> Path:
        """The destination that an earlier plotrun began to copy to, or one chosen now."""
        work = self._work
        while work.stage is PlotStage.DELIVERING and work.dst is not None:
            refused = await self._around.deliveries.refused(
                self._key, self._current_job(), work.plot, work.dst
            )
            if refused is None:
                await self._around.deliveries.promise(
                    self._key, work.dst, work.plot.size, work.plot.path.parent
                )
                return work.dst
            if await in_daemon_thread(work.plot.path.exists, "look for the plot"):
                break
            # It was renamed into a directory that cannot be looked at now.
            await self._no_destination(NoDestination({work.dst: refused}))
            await self._wait()
        while True:
            chosen = await self._around.deliveries.choose(
                self._key,
                self._current_job(),
                work.plot,
                work.plot.size,
                prefer=self._record.worker.dst,
                avoid=self._failed,
            )
            if isinstance(chosen, Path):
                return chosen
            await self._no_destination(chosen)
            await self._wait()
            self._failed.clear()

    def _current_job(self) -> Job:
        """The job as it is in the settings now: destinations may have been added meanwhile."""
        return self._around.settings().job(self._job.name) or self._job

    async def _no_destination(self, chosen: NoDestination) -> None:
        """Say once, not at every attempt, that the plot waits."""
        said = self._work.waiting is not None
        self._record.change_plot(self._number, waiting=chosen.words)
        if not said:
            path = str(self._work.plot.path)
            event = self._record.event(EventKind.NO_DESTINATION, plot=path, reason=chosen.words)
            await self._record.save(event)

    async def _wait(self) -> None:
        """Until room may have changed: something was delivered, settings changed, time passed."""
        room = asyncio.create_task(self._around.room.wait())
        again = asyncio.create_task(self._around.clock.look_again(RETRY_SECONDS))
        try:
            await asyncio.wait((room, again), return_when=asyncio.FIRST_COMPLETED)
        finally:
            room.cancel()
            again.cancel()

    async def _bring_to(self, dst: Path) -> Plot | None:
        """Bring the plot to *dst*; None if that failed, and the plot is where it was."""
        plot = self._work.plot
        self._record.change_plot(self._number, stage=PlotStage.DELIVERING, dst=dst, waiting=None)
        started = self._record.event(EventKind.DELIVERY_STARTED, plot=str(plot.path), dst=str(dst))
        await self._record.save(started)
        began = self._around.clock.now()
        try:
            path = await self._around.deliveries.bring(
                self._key, self._job, plot, dst, self._record.worker.id
            )
            self._delivery_seconds = self._around.clock.now() - began
            return await in_daemon_thread(lambda: _arrived(plot, path), "look at the plot")
        except copying.DeliveryFailed as failure:
            self._failed[dst] = f"failed just now: {failure}"
            self._record.change_plot(self._number, stage=PlotStage.FINISHED, dst=None)
            failed = self._record.event(
                EventKind.DELIVERY_FAILED, plot=str(plot.path), dst=str(dst), reason=str(failure)
            )
            await self._record.save(failed)
            return None
        except copying.Cancelled:
            raise asyncio.CancelledError from None  # plotrun stops; the next one copies again
        finally:
            self._around.deliveries.release(self._key)

    async def _delivered(self, plot: Plot) -> None:
        measured = self._measured(plot)
        event = self._record.event(
            EventKind.PLOT_DELIVERED,
            plot=str(plot.path),
            plot_id=plot.plot_id,
            k=plot.k,
            size=plot.size,
            dst=str(plot.path.parent),
            seconds=measured.whole_seconds,
        )
        self._record.change_plot(
            self._number, stage=PlotStage.DELIVERED, plot=plot, dst=plot.path.parent, waiting=None
        )
        save = functools.partial(self._around.store.save_delivered, self._number, measured)
        await self._record.write(save, event)
        self._times.forget(plot.plot_id)

    def _measured(self, plot: Plot) -> Measured:
        times = self._times.of(plot.plot_id)
        seen_well = times.seconds is not None and times.seconds >= TMP_SEEN_WELL
        copies = [s for s in (times.copy_seconds, self._delivery_seconds) if s is not None]
        return Measured(
            bytes=plot.size,
            tmp_bytes=times.told_tmp_bytes or (times.tmp_bytes if seen_well else None),
            seconds=times.seconds,
            delivery_seconds=sum(copies) if copies else None,
            longest_silence=times.longest_silence,
            phases=times.phase_seconds,
        )

    # Post-commands

    async def _post_commands(self) -> str | None:
        self._record.change_plot(self._number, stage=PlotStage.POST_COMMAND)
        await self._record.save()
        words, failure = await run_post_commands(self._record, self._job, self._work, self._resumed)
        self._record.change_plot(self._number, stage=PlotStage.DONE, post=words)
        await self._record.save()
        return failure


def promises_of(worker: Worker) -> Iterator[tuple[str, Path, int, Path | None]]:
    """What a worker was promised, by its record: key, destination, bytes, and where the plot is.

    The first plot that it has still to make takes what its temporary files leave, if those are
    on the same file system; the others come on top.
    """
    for work in worker.plots:
        if work.stage is PlotStage.DELIVERING and work.dst is not None:
            left = int(work.plot.size * (1 - worker.progress.copied))
            yield promise_key(worker.id, work.number), work.dst, left, work.plot.path.parent
    if worker.dst is not None and worker.job:
        next_one = worker.plots_seen + 1
        for number in range(next_one, worker.plots_promised + 1):
            source = worker.tmp if number == next_one else None
            yield promise_key(worker.id, number), worker.dst, worker.plot_size, source


def promise_key(worker: str, number: int) -> str:
    """Under which name room is promised to the plot of this number."""
    return f"{worker}/{number}"


def _arrived(plot: Plot, path: Path) -> Plot:
    """The plot where it is now.

    Raises:
        copying.DeliveryFailed: what lies there is not the plot.
    """
    try:
        arrived = read_plot(path)
    except (OSError, NotAPlot) as error:
        raise copying.DeliveryFailed(f"{path}: {error}") from error
    if (arrived.plot_id, arrived.size) != (plot.plot_id, plot.size):
        raise copying.DeliveryFailed(f"{path} is another plot")
    return arrived

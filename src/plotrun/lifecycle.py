"""The life of a worker: one coroutine, `Life.live`, that reads from top to bottom.

Each step writes its stage to the store before it acts. A life that is taken up again after a
crash goes through the same steps; each sees from the stage, and from what is on the disk, what
has been done already.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from plotrun.cleaning import clean_up
from plotrun.finished_plot import promise_key
from plotrun.follow import last_lines
from plotrun.model import Deliver, EventKind, Job, PlotStage, Stage
from plotrun.plotter import Plotter
from plotrun.process import Process, Spawn, exit_words
from plotrun.process_table import PLOTTER_STEP
from plotrun.threads import in_daemon_thread
from plotrun.user_commands import pre_commands, pre_step, run_pre_commands
from plotrun.watching import PlotterWatch
from plotrun.workdir import (
    least_whole_bytes,
    make_directory,
    rescue_plots,
)
from plotrun.worker_plots import WorkerPlots
from plotrun.worker_record import WorkerRecord

KILLED = "killed by the user"
log = logging.getLogger(__name__)


class WorkerFailed(Exception):  # noqa: N818 - reads as what it says
    """The worker cannot go on; its finished plots are delivered all the same."""


class Life:
    """A worker while it lives; `record` is what is known of it."""

    def __init__(
        self, record: WorkerRecord, job: Job, plotter: Plotter, resumed: bool, killed: bool = False
    ) -> None:
        """*killed*: the user has had it killed while no plotrun was there."""
        self.record = record
        self._killed = killed
        self._killing: asyncio.Task[None] | None = None
        self._around = record.around
        self._job = job
        self._plotter = plotter
        self._resumed = resumed
        self._watch = PlotterWatch(record, job, plotter)
        self._plots = WorkerPlots(record, job, plotter, resumed, self._watch.times)

    @property
    def _stage(self) -> Stage:
        return self.record.worker.stage

    async def live(self) -> None:
        """From the decision to start to the worker's end."""
        try:
            await self._make_directories()
            await self._pre_commands()
            await self._plot()
            await self._bring_plots()
        except WorkerFailed as failure:
            if self._killed and self.record.worker.occupies_slot:
                await self._note_killed()
            else:
                await self._fail(str(failure))
            await self._bring_what_is_finished()
        await self._clean_up()
        await self._end()

    # 1. Directories

    async def _make_directories(self) -> None:
        if self._stage is not Stage.CREATED:
            return
        worker = self.record.worker
        own = [worker.tmp_dir, worker.tmp2_dir]
        if worker.final_dir is not None and worker.final_dir.parent in own:
            own.append(worker.final_dir)
        for directory in filter(None, own):
            try:
                await in_daemon_thread(lambda d=directory: make_directory(d), "make directory")  # type: ignore[misc]
            except OSError as error:
                raise WorkerFailed(f"{directory} cannot be made: {error.strerror}") from error

    # 2. Pre-commands

    async def _pre_commands(self) -> None:
        if self._stage not in (Stage.CREATED, Stage.PRE_COMMAND):
            return
        commands = pre_commands(self.record, self._job)
        if not commands:
            return
        await self.record.save(stage=Stage.PRE_COMMAND)
        failure = await run_pre_commands(self.record, commands, self._resumed)
        if failure is not None:
            raise WorkerFailed(failure)

    # 3. Plotting

    async def _plot(self) -> None:
        if self._stage not in (Stage.CREATED, Stage.PRE_COMMAND, Stage.PLOTTING):
            return
        log = self.record.worker.log
        assert log is not None
        process = await self._plotter_process()
        if self._killed and process is not None:
            await self._around.executor.end(process.ref)
        await self._watch.begin(log, self._resumed)
        follower = self._around.logs.follow(log, self._watch.read)
        collecting = asyncio.create_task(self._collect_while_plotting())
        try:
            code = await self._wait(process) if process else None
        finally:
            collecting.cancel()
            await self._around.logs.finish(follower)
        self._watch.catch_up()
        await self._judge(code)

    async def _plotter_process(self) -> Process | None:
        """The plotter: started now, or found running; None if it has ended meanwhile."""
        worker = self.record.worker
        if self._stage is Stage.PLOTTING:
            running = await self._find_running()
            if running is not None:
                event = self.record.event(EventKind.WORKER_ADOPTED, pid=running.ref.pid)
                started = worker.started_at or worker.created_at
                await self.record.save(event, process=running.ref, started_at=started)
                return running
            if worker.process is not None or _has_said_something(worker.log):
                self.record.change(started_at=worker.started_at or worker.created_at)
                return None
        if self._killed:
            raise WorkerFailed(KILLED)
        await self.record.save(stage=Stage.PLOTTING)
        try:
            process = await self._around.executor.spawn(self._spawn())
        except OSError as error:
            raise WorkerFailed(f"the plotter cannot be started: {error}") from error
        event = self.record.event(
            EventKind.PLOTTER_STARTED, pid=process.ref.pid, tmp=str(worker.tmp), k=worker.k
        )
        await self.record.save(event, process=process.ref, started_at=event.at)
        return process

    async def _find_running(self) -> Process | None:
        worker, executor = self.record.worker, self._around.executor
        known = executor.attach(worker.process) if worker.process else None
        return known or await asyncio.to_thread(executor.find, worker.id, PLOTTER_STEP)

    def _spawn(self) -> Spawn:
        worker = self.record.worker
        assert worker.log is not None
        return Spawn(
            argv=worker.argv,
            log=worker.log,
            worker=worker.id,
            step=PLOTTER_STEP,
            nice=self._job.nice,
            io_priority=self._job.io_priority,
            cpu_affinity=self._job.cpu_affinity,
        )

    async def _wait(self, process: Process) -> int | None:
        """Wait for the plotter; where only the shell around it was killed, for what it left."""
        code = await process.wait()
        while code != 0:
            executor, worker = self._around.executor, self.record.worker
            left = await asyncio.to_thread(executor.find, worker.id, PLOTTER_STEP)
            if left is None:
                break
            await left.wait()
        return code

    @property
    def job(self) -> str:
        """The name of its job."""
        return self._job.name

    @property
    def job_at_start(self) -> Job:
        """The job as it was when the worker started."""
        return self._job

    @property
    def waits_for(self) -> frozenset[Path]:
        """The destinations that a finished plot of its waits for; empty if none waits."""
        waiting = any(work.waiting is not None for work in self.record.worker.plots)
        return frozenset(self._job.dst) if waiting else frozenset()

    @property
    def caught_up(self) -> bool:
        """Whether it is known how many plots its process has begun."""
        return self._watch.caught_up

    async def ask_to_finish(self) -> bool:
        """Let the plotter end after the plot under way: whether it was asked now.

        Not if it cannot be asked, has not begun a plot, or was asked during this plot already;
        nor if it was told to make one only: many plotters die of the signal then.
        It is written down before it is asked, and so never asked twice during one plot: many
        plotters break off at the second signal. One that begins another plot all the same is
        asked again.
        """
        worker, signal = self.record.worker, self._plotter.finish_signal
        begun, asked = worker.progress.plots_started, worker.finish_after or 0
        if worker.plots_wanted == 1 or signal is None or worker.process is None:
            return False
        if begun <= asked or not self.caught_up:
            return False
        event = self.record.event(EventKind.FINISH_ASKED, plot=begun)
        await self.record.save(event, finish_after=begun)
        await asyncio.to_thread(
            self._around.executor.send, worker.id, PLOTTER_STEP, signal, self._is_plotter
        )
        return True

    def _is_plotter(self, argv: Sequence[str]) -> bool:
        return self._plotter.recognise(argv) is not None

    # Killed by the user

    def kill(self) -> None:
        """End what it runs, for the user wishes it. Finished plots are delivered all the same.

        Once its plotter has ended by itself there is nothing to kill.
        """
        if self.record.worker.occupies_slot and self._killing is None:
            self._killed = True
            self._killing = asyncio.create_task(self._end_processes())

    async def _end_processes(self) -> None:
        await self.record.save(self.record.event(EventKind.KILL_ASKED))
        worker, executor = self.record.worker, self._around.executor
        for number in range(1, 1 + len(pre_commands(self.record, self._job))):
            command = await asyncio.to_thread(executor.find, worker.id, pre_step(number))
            if command is not None:
                await executor.end(command.ref)
        while (plotter := await self._find_running()) is not None:
            await executor.end(plotter.ref)

    async def _note_killed(self) -> None:
        """It is no failure: the job does not wait, and nothing is counted against it."""
        await self.record.save(outcome="killed", reason=KILLED, stage=self._stage_after_plotting)

    async def note_suspended(self, since: float | None) -> None:
        """The user has had its plotter suspended, or (None) resumed."""
        before = self.record.worker.suspended_since
        if (before is None) != (since is None):
            kind = EventKind.WORKER_RESUMED if since is None else EventKind.WORKER_SUSPENDED
            await self.record.save(self.record.event(kind), suspended_since=since)

    async def _judge(self, code: int | None) -> None:
        """Tell by exit code and log whether the plotter did its work; the files come next."""
        worker = self.record.worker
        finished = self.record.event(EventKind.PLOTTER_FINISHED, exit_code=code)
        self.record.change(exit_code=code, plotter_ended_at=finished.at, process=None)
        made, wanted = worker.progress.plots_complete, worker.plots_promised
        made = max(made, worker.plots_seen)
        if code in (0, None) and made < wanted:
            await self._plots.collect()  # not every version of a plotter tells of a finished plot
            made = max(made, self.record.worker.plots_seen)
        failure = None
        if self._watch.ended_because is not None:
            failure = self._watch.ended_because
        elif code not in (0, None) and not (worker.finish_after and made >= wanted):
            # One that was asked to finish may say so by its exit code.
            failure = f"the plotter {exit_words(code)}"
        elif made < wanted:
            failure = "the plotter ended before the plot was complete"
            if wanted > 1:
                failure = f"the plotter ended with {made} of {wanted} plots complete"
        if failure is not None:
            await self.record.save(finished)
            raise WorkerFailed(failure)
        # The slot is free at once: the next plot does not wait for this one's delivery.
        self.record.change(stage=Stage.FINISHING)
        self._around.changed()
        await self.record.save(finished)

    # 4. Finished plots

    async def _collect_while_plotting(self) -> None:
        started, complete = 1, 0
        while True:
            await self._watch.changed.wait()
            self._watch.changed.clear()
            progress = self.record.worker.progress
            await self._watch.learn(another=progress.plots_started > started)
            if progress.plots_complete > complete:
                await self._plots.collect()
            started, complete = progress.plots_started, progress.plots_complete
            if self._copy_is_stuck:
                try:
                    await self._rescue()
                except OSError as error:  # of a disk; the plots are where they were
                    log.error("worker %s: %s", self.record.worker.id, error)

    # A plotter that cannot bring a plot to its final directory tries for ever, with all later
    # plots behind the first. Once a plot is out of its sight, plotrun brings it elsewhere.

    @property
    def _copy_is_stuck(self) -> bool:
        own_way = self._plotter.chooses_dst  # then it tries the next destination by itself
        return self._watch.copy_failed and self._job.deliver is Deliver.PLOTTER and not own_way

    async def _rescue(self) -> None:
        """Take whole plots away from a stuck plotter, and end it when it has made all it shall."""
        worker, blocked = self.record.worker, self._plotter.copy_blocks(self._job)
        least = least_whole_bytes(worker.plot_size, worker.k)
        sizes = {plot_id: told or least for plot_id, told in self._watch.whole.items()}
        suffix, places = self._plotter.whole_suffix, self._plots.own_directories()
        left = await in_daemon_thread(lambda: rescue_plots(places, sizes, suffix), "rescue plots")
        await self._plots.collect()
        worker = self.record.worker
        if worker.process is None or not worker.plots or left:
            return
        if blocked or worker.plots_seen >= worker.plots_promised:
            await self.record.save(finish_after=worker.plots_seen)
            self._plots.release_what_never_comes()
            await self._around.executor.end(worker.process)
        elif not worker.plots_wanted:
            await self.ask_to_finish()

    def note_delivered(self) -> None:
        """A plot, of whatever worker, was delivered: more is known of how long one takes."""
        self._watch.changed.set()

    async def look(self, now: float, children: Mapping[int, Sequence[int]]) -> None:
        """See how much the plotter uses, and whether it stands still for too long."""
        await self._watch.look(now, children)

    def note_copied(self) -> None:
        """Take into the progress how much of the plot has been copied."""
        worker = self.record.worker
        for work in worker.plots:
            if worker.stage is Stage.FINISHING and work.stage is PlotStage.DELIVERING:
                key = promise_key(worker.id, work.number)
                copied = self._around.deliveries.copied(key, work.plot.size)
                self.record.change(progress=replace(worker.progress, copied=copied))

    async def _bring_plots(self) -> None:
        if self._stage is not Stage.FINISHING:
            return
        failures = await self._bring_what_is_finished()
        worker = self.record.worker
        if worker.outcome is not None:
            return
        if worker.plots_seen < worker.plots_promised:
            raise WorkerFailed(
                f"the plotter says the plot is complete, but none is in {worker.final_dir}"
            )
        if failures:
            raise WorkerFailed(failures[0])

    async def _bring_what_is_finished(self) -> list[str]:
        """Bring every finished plot all the way; answers what failed beside."""
        if self._stage is not Stage.FINISHING:
            return []
        await self._plots.collect()
        self._plots.release_what_never_comes()
        return await self._plots.brought()

    async def _fail(self, reason: str) -> None:
        """Note the failure. It is counted before the slot is free: no start slips in between."""
        worker = self.record.worker
        lines = await asyncio.to_thread(last_lines, worker.log) if worker.log else []
        event = self.record.event(
            EventKind.WORKER_FAILED,
            reason=reason,
            exit_code=worker.exit_code,
            log_lines="\n".join(lines),
        )
        await self.record.write(
            self._around.store.save_failed,
            event,
            outcome="failed",
            reason=reason,
            stage=self._stage_after_plotting,
        )

    @property
    def _stage_after_plotting(self) -> Stage:
        plotted = self._stage in (Stage.PLOTTING, Stage.FINISHING)
        return Stage.FINISHING if plotted else Stage.CLEANING

    # 5. Cleaning up

    async def _clean_up(self) -> None:
        if self._stage is Stage.ENDED:
            return
        await self.record.save(stage=Stage.CLEANING, outcome=self.record.worker.outcome or "done")
        broken_off = self._watch.copy_failed or self._killed
        half_copied = self._watch.whole if broken_off else None
        await clean_up(self.record, self._plots.own_directories().values(), half_copied)

    # 6. The end

    async def _end(self) -> None:
        event = self.record.event(
            EventKind.WORKER_ENDED,
            outcome=self.record.worker.outcome,
            plots=self.record.worker.plots_seen,
        )
        await self.record.write(
            self._around.store.save_ended, event, stage=Stage.ENDED, ended_at=event.at
        )


def _has_said_something(log: Path | None) -> bool:
    """Whether a plotter whose start was not written down has left anything in its log."""
    return log is not None and log.exists() and log.stat().st_size > 0

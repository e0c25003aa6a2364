"""The runner: starts workers when nothing holds them, and takes up those of an earlier runner.

Its loop, `Runner.run`, waits for something to change and then starts what may start. Changes
come from workers, from disks and settings, from the command line, and from time.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from plotrun.between_jobs import BetweenJobs
from plotrun.clock import Clock
from plotrun.current_settings import CurrentSettings
from plotrun.delivery import Deliveries
from plotrun.doorbell import Doorbell
from plotrun.farm.farm import Farms
from plotrun.farm.inventories import Inventories
from plotrun.finished_plot import promises_of
from plotrun.follow import LogWatch
from plotrun.holds import JobEnds, Waits
from plotrun.learned_sizes import sizes_of
from plotrun.lifecycle import Life
from plotrun.lookout import Lookout
from plotrun.manager import Plugins
from plotrun.model import Event, EventKind, Hold, Job, Worker
from plotrun.placement import Placement
from plotrun.plotter import Plotter
from plotrun.process import Executor
from plotrun.rooms import Rooms, no_room_to_go_on
from plotrun.settings.changes import changes, changes_words
from plotrun.settings.load import job_as_written
from plotrun.settings.problems import Problem, SettingsError
from plotrun.settings.schema import Schema
from plotrun.settings.settings import Settings
from plotrun.space import Disks
from plotrun.starting import Starter
from plotrun.store import Request, Store
from plotrun.telling import Telling
from plotrun.threads import in_daemon_thread
from plotrun.wishes import Wishes
from plotrun.worker_record import Surroundings, WorkerRecord

ASK_AGAIN = 30.0
"""Seconds after which holds are asked again: memory and disks tell nobody when they change."""
TICK = 1.0
"""Seconds between two writings of progress, and two looks at the settings file."""

log = logging.getLogger(__name__)


class Runner:
    """Keeps the plotters of one settings file running."""

    def __init__(
        self,
        settings: Settings,
        plugins: Plugins,
        store: Store,
        executor: Executor,
        clock: Clock,
        disks: Disks | None = None,
        schema: Schema | None = None,
    ) -> None:
        """*disks* and *schema*: this machine's, and that of *plugins*, unless others are given."""
        self.plugins = plugins
        self.store = store
        self.clock = clock
        self.lives: dict[str, Life] = {}
        self._telling = Telling(plugins, store, clock, self.lives)
        self._executor = executor
        self._schema = schema or plugins.schema()
        self._current = CurrentSettings(settings, self._schema)
        self._disks = disks or Disks(settings.general.disk_timeout)
        self._farms = Farms(
            store,
            clock,
            Inventories(store, self._disks.timeout),
            lambda: self.settings.log_dir,
            self._telling.from_thread,
            lambda: self.workers,
        )
        rooms = Rooms(self._disks, store, lambda: self.workers)
        self._deliveries = Deliveries(plugins, rooms, self._farms, lambda: self.settings)
        self._deliveries.more_known = self.wake
        self._logs = LogWatch(clock)
        self._lookout = Lookout(
            executor,
            clock,
            self._schema.plotters,
            self.lives,
            lambda: self.settings.directories,
            self.wake,
        )
        self._room = asyncio.Event()
        self._wake = asyncio.Event()
        self._stopping = False
        self._wishes = Wishes(store, self.lives, self._take_up)
        self._to_kill: Mapping[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._around = Surroundings(
            plugins=plugins,
            store=store,
            executor=executor,
            clock=clock,
            logs=self._logs,
            disks=self._disks,
            deliveries=self._deliveries,
            settings=lambda: self.settings,
            tell=self._telling.tell,
            note=self._telling.note,
            changed=self.wake,
            room=self._room,
        )
        self._starter = Starter(
            self._around,
            Placement(plugins, self._deliveries, self._job_of),
            self._schema.plotters,
            self.lives,
            lambda: self.workers,
            lambda worker, job, plotter: self._live(worker, job, plotter, resumed=False),
        )
        self._between = BetweenJobs(self._around, self.lives)
        plugins.on_failure = self._telling.plugin_failed

    # What others may ask of it

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._current.settings

    @property
    def watchers(self) -> list[Callable[[Event], None]]:
        """Called with every event, on the event loop."""
        return self._telling.watchers

    @property
    def holds(self) -> Mapping[str, Hold | None]:
        """Why each job was held when it was asked last."""
        return self._starter.holds

    @property
    def hold_watchers(self) -> list[Callable[[str, Hold | None], None]]:
        """Called with a job's name and its hold whenever it has been asked."""
        return self._starter.watchers

    @property
    def workers(self) -> list[Worker]:
        """All workers that are alive, and plotters that plotrun did not start."""
        return [life.record.worker for life in self.lives.values()] + self._lookout.others

    @property
    def others(self) -> list[Worker]:
        """Plotters that plotrun did not start."""
        return self._lookout.others

    def _job_of(self, worker: Worker) -> Job | None:
        """A worker's job as it is in the settings now, or as it was when the worker started."""
        life = self.lives.get(worker.id)
        return self.settings.job(worker.job) or (life.job_at_start if life is not None else None)

    def wake(self) -> None:
        """Look whether something may start now."""
        self._wake.set()

    def _rung(self) -> None:
        """A command has written something for the runner."""
        self._wishes.ring()
        self.wake()

    def stop(self) -> None:
        """Start nothing more and let `run` end; plotters go on."""
        self._stopping = True
        self.wake()

    async def run(self, until_done: bool = False) -> list[str]:
        """Run until stopped; with *until_done*, until every job has made its plots.

        Answers what keeps jobs from being done, in words: empty if nothing does.
        """
        doorbell = await self._begin()
        tasks = [
            asyncio.create_task(self._logs.run()),
            asyncio.create_task(self._ticks()),
            asyncio.create_task(self._ask_again()),
            asyncio.create_task(self._lookout.run()),
        ]
        stuck: list[str] = []
        try:
            while not self._stopping:
                self._wake.clear()
                await self._wishes.see_to()
                await self._start_what_may_start()
                await self._let_finish()
                stuck = await self._jobs_ended()
                if until_done and not self._wake.is_set() and self._nothing_to_do():
                    break
                await self._wait()
        finally:
            await self._end(tasks, doorbell)
        return stuck

    async def _begin(self) -> Doorbell:
        self._telling.begin()
        doorbell = Doorbell(self.store.file.parent, self._rung)
        await asyncio.to_thread(self.store.events.forget_old)
        await asyncio.to_thread(self.store.jobs.note_listed, self.settings.jobs, self.clock.now())
        await self._between.begin()
        self._telling.of_runner(EventKind.RUNNER_STARTED, settings=str(self.settings.file))
        self._warn(())
        for failure in tuple(self.plugins.failures):
            self._telling.failure(failure)
        self.plugins.each("plotrun_started", runner=self)
        cut_off = await asyncio.to_thread(self.store.removals.unsettled)
        in_daemon_thread(lambda: self._farms.settle(cut_off), "settle removals")
        await self._take_up_workers()
        await self._lookout.look()
        return doorbell

    async def _end(self, tasks: list[asyncio.Task[None]], doorbell: Doorbell) -> None:
        """Leave plotters and commands to themselves, and copies to the next runner."""
        doorbell.close()
        await self._deliveries.stop()
        await self._between.end()
        for task in (*tasks, *self._tasks.values()):
            task.cancel()
        await asyncio.gather(*tasks, *self._tasks.values(), return_exceptions=True)
        self.plugins.each("plotrun_stopping", runner=self)
        self._telling.of_runner(EventKind.RUNNER_STOPPING, workers=len(self.lives))
        await self._telling.end()

    # Workers of an earlier runner

    async def _take_up_workers(self) -> None:
        self._to_kill = await asyncio.to_thread(self.store.requests.of, Request.KILL)
        for worker in await asyncio.to_thread(self.store.alive_workers):
            await self._take_up(worker)

    async def _take_up(self, worker: Worker) -> None:
        job = job_as_written(worker.settings, self._schema) or self.settings.job(worker.job)
        plotter = self._schema.plotters.get(worker.plotter)
        if job is None or plotter is None:
            log.error(
                "worker %s is left alone: its plotter %s is not installed any more",
                worker.id,
                worker.plotter,
            )
            self._lookout.others.append(worker)
            return
        if worker.sizes is None:  # of an older plotrun
            sizes = await asyncio.to_thread(sizes_of, plotter, job, self.store)
            worker = replace(worker, sizes=sizes)
        await self._promise_again(worker)
        self._live(worker, job, plotter, resumed=True)

    async def _promise_again(self, worker: Worker) -> None:
        """The room that a worker was promised before plotrun stopped."""
        for key, dst, size, source in promises_of(worker):
            await self._deliveries.promise(key, dst, size, source)

    def _live(self, worker: Worker, job: Job, plotter: Plotter, resumed: bool) -> None:
        killed = worker.id in self._to_kill
        record = WorkerRecord(self._around, worker, job)
        life = Life(record, job, plotter, resumed, killed)
        self.lives[worker.id] = life
        self._tasks[worker.id] = asyncio.create_task(self._see_through(life))

    async def _see_through(self, life: Life) -> None:
        worker = life.record.worker.id
        try:
            await life.live()
        except Exception:
            # A fault of plotrun. The worker keeps its slot: starting more of the same would
            # only repeat it, and the next runner takes it up where it stands.
            log.exception("worker %s cannot go on", worker)
            self._telling.of_runner(
                EventKind.PLUGIN_FAILED, plugin="plotrun", hook=worker, error="see log"
            )
            return
        self._deliveries.release_all(worker)
        del self.lives[worker]
        del self._tasks[worker]
        self._room_changed()

    def _room_changed(self) -> None:
        """Let waiting plots be tried again."""
        self._room.set()
        self._room.clear()
        self.wake()

    # Starting

    async def _start_what_may_start(self) -> None:
        await self._take_up_settings()
        await self._between.look()
        for job in self.settings.jobs:
            while not self._stopping and await self._starter.start(job):
                pass
            hold, asked = self.holds.get(job.name), self._starter.asked.get(job.name, ())
            await self._between.give_up(job, hold, asked)

    async def _let_finish(self) -> None:
        """Ask plotters to end after the plot under way: that is enough, or the user said so."""
        surplus = {
            job: hold.surplus for job, hold in self.holds.items() if isinstance(hold, JobEnds)
        }
        for life in tuple(self.lives.values()):
            worker = life.record.worker
            no_more = surplus.get(worker.job, 0) > 0 or self.settings.job(worker.job) is None
            if (
                (worker.plots_wanted == 0 and no_more)
                or worker.id in self._wishes.to_finish
                or await no_room_to_go_on(self._deliveries.rooms, worker)
            ):
                surplus[worker.job] = surplus.get(worker.job, 0) - await life.ask_to_finish()

    # Settings

    async def _take_up_settings(self) -> None:
        """Read the settings anew if the file has changed; a wrong file changes nothing."""
        if not self._current.outdated:
            return
        old = self.settings
        try:
            new = await asyncio.to_thread(self._current.read)
        except SettingsError as error:
            log.error("the old settings stay in force:\n%s", error)
            self._telling.of_runner(EventKind.SETTINGS_INVALID, problems=str(error))
            return
        self._disks.timeout = new.general.disk_timeout
        self._farms.inventories.timeout = new.general.disk_timeout
        words = changes_words(changes(old, new, self._schema))
        self._telling.of_runner(EventKind.SETTINGS_CHANGED, settings=str(new.file), changes=words)
        self._warn(old.warnings)
        await asyncio.to_thread(self.store.jobs.note_listed, new.jobs, self.clock.now())
        await self._between.take_up_settings()
        self._room_changed()

    def _warn(self, told: Sequence[Problem]) -> None:
        """Tell what may be wrong with the settings, but for what has been told."""
        known = {(problem.key, problem.expected) for problem in told}
        for problem in self.settings.warnings:
            if (problem.key, problem.expected) not in known:
                self._telling.of_runner(EventKind.SETTINGS_WARNING, problem=str(problem))

    # Jobs that have made all of their plots

    async def _jobs_ended(self) -> list[str]:
        """Note which jobs are done; answers what keeps the others from ever being."""
        stuck = []
        for job in self.settings.jobs:
            record = await asyncio.to_thread(self.store.jobs.record, job.name)
            hold = self.holds.get(job.name)
            # The hold may be older than a worker's end: its plots were counted as on their way.
            ended = (
                isinstance(hold, JobEnds)
                and record.made >= job.plots
                and not any(worker.job == job.name for worker in self.workers)
            )
            if ended != record.ended:
                data = {"plots": record.made}
                event = Event(EventKind.JOB_ENDED, self.clock.now(), job.name, None, data)
                events = [event] if ended else []
                due = self._between.emitted_by_end(job) if ended else []
                save = functools.partial(self.store.jobs.set_ended, job.name, ended, events)
                await asyncio.to_thread(self.store.save_emitting, due, save)
                for each in events:
                    self._telling.tell(each)
                self.wake()
            if _is_stuck(hold) and not isinstance(hold, JobEnds):
                stuck.append(f"job {job.name}: {hold.reason}")
        return stuck

    def _nothing_to_do(self) -> bool:
        """Whether no worker is alive and none will be without the user."""
        if self.lives:
            return False
        for job in self.settings.jobs:
            hold = self.holds.get(job.name)
            if not _is_stuck(hold) or self._between.coming_for(job):
                return False
        return True

    # Time

    async def _wait(self) -> None:
        """Until something changes, or a hold may have passed."""
        now = self.clock.now()
        untils = [hold.until - now for hold in self.holds.values() if hold and hold.until]
        if self._between.next_at is not None:
            untils.append(self._between.next_at - now)
        timeout = max(0.0, min(untils)) if untils else None
        # wait_for of Python 3.11 swallows a cancellation that comes together with the wake.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._wake.wait()

    async def _ask_again(self) -> None:
        while True:
            await self.clock.look_again(ASK_AGAIN)
            self.wake()

    async def _ticks(self) -> None:
        while True:
            await self.clock.look_again(TICK)
            await self._telling.write()
            self._between.let_workers_emit()
            if self._current.outdated:
                self.wake()


def _is_stuck(hold: Hold | None) -> TypeGuard[Hold]:
    """Whether nothing lifts it but the user, or an event."""
    return hold is not None and (hold.for_user or isinstance(hold, Waits))

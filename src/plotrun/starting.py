"""Starting a worker of a job, unless something holds it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence

from plotrun.holds import JobEnds, NotKnownYet, hold_of
from plotrun.learned_sizes import sizes_of
from plotrun.lifecycle import Life
from plotrun.model import Deliver, Event, EventKind, Hold, Job, JobState, Memory, Worker
from plotrun.placement import Placement, Wish, new_worker
from plotrun.plotter import Plotter
from plotrun.rooms import memory_to_be_taken
from plotrun.settings.job_events import EventKeys
from plotrun.settings.schema import JobKeys
from plotrun.store import AskedStart, Asker, JobRecord, job_state
from plotrun.worker_record import Surroundings


class Starter:
    """Starts workers one after the other, so that each sees those before it."""

    def __init__(
        self,
        around: Surroundings,
        placement: Placement,
        plotters: Mapping[str, Plotter],
        lives: Mapping[str, Life],
        workers: Callable[[], list[Worker]],
        begin: Callable[[Worker, Job, Plotter], None],
    ) -> None:
        self.watchers: list[Callable[[str, Hold | None], None]] = []
        """Called with a job's name and its hold whenever it has been asked."""
        self.holds: dict[str, Hold | None] = {}
        """Why each job was held when it was asked last."""
        self.asked: dict[str, Sequence[AskedStart]] = {}
        """Starts of each job that were asked for, and had not been, when it was asked last."""
        self._paused: set[str] = set()
        """Jobs that were told to be paused, by something else than the user."""
        self._around = around
        self._placement = placement
        self._plotters = plotters
        self._lives = lives
        self._workers = workers
        """All workers that are alive, and plotters that plotrun did not start."""
        self._begin = begin

    async def start(self, job: Job) -> bool:
        """Start a worker of *job* if nothing holds it: whether it was started."""
        around, workers = self._around, self._workers()
        record = await asyncio.to_thread(around.store.jobs.record, job.name)
        state = job_state(record, workers)
        asked = record.asked[0] if record.asked else None
        hold: Hold | None = NotKnownYet("finding out how far running workers are")
        if all(life.caught_up for life in self._lives.values() if life.job == job.name):
            by_hand = asked is not None and asked.asker is Asker.HAND
            memory = await self._memory(job, workers)
            hold = hold_of(
                around.plugins,
                around.settings(),
                job,
                state,
                workers,
                around.clock,
                by_hand=by_hand,
                memory=memory,
            )
        if hold is None:
            hold = await self._start_worker(job, state.expected + state.made, asked)
        await self._show_hold(record, hold, job.keys(EventKeys).queue)
        self._tell_of_pause(job, state, hold)
        return hold is None

    def _tell_of_pause(self, job: Job, state: JobState, hold: Hold | None) -> None:
        """Tell once that nothing starts until the user does something, unless he wanted it so."""
        by_user = state.paused is not None or not job.keys(JobKeys).enabled
        if hold is None or not hold.for_user or by_user or isinstance(hold, JobEnds):
            self._paused.discard(job.name)
        elif job.name not in self._paused:
            self._paused.add(job.name)
            data = {"reason": hold.reason.partition("\n")[0]}
            now = self._around.clock.now()
            self._around.note(Event(EventKind.JOB_PAUSED, now, job.name, None, data))

    async def _show_hold(self, record: JobRecord, hold: Hold | None, queue: bool) -> None:
        self.holds[record.name], self.asked[record.name] = hold, record.asked
        for watcher in self.watchers:
            watcher(record.name, hold)
        reasons = () if hold is None else tuple(hold.reason.split("\n"))
        if reasons and queue:
            reasons += tuple(f"queued: {each.left} by {each.words}" for each in record.asked)
        if reasons != record.holds:
            await asyncio.to_thread(self._around.store.jobs.set_holds, record.name, reasons)

    async def _start_worker(self, job: Job, made: int, asked: AskedStart | None) -> Hold | None:
        if job.deliver is Deliver.PLOTTER:
            for life in self._lives.values():
                if life.waits_for & set(job.dst):  # what is made goes before what is not
                    return Hold(f"a finished plot of worker {life.record.worker.id} waits for room")
        around, plotter = self._around, self._plotter(job)
        wanted = job.keys(JobKeys).plots_per_process
        if wanted is None:
            wanted = plotter.usual_plots
        left = job.plots - made if job.plots else 0
        plots = 1 if left == 1 else min(wanted, left) if left else wanted
        settings, store = around.settings(), around.store
        sizes = await asyncio.to_thread(sizes_of, plotter, job, store)
        wish = Wish(secrets.token_hex(4), job, plotter, plots, sizes)
        places = await self._placement.place(wish, self._workers(), settings)
        if isinstance(places, Hold):
            return places
        most = plots or left  # an endless one ends by itself should plotrun not be there to ask
        worker = await asyncio.to_thread(
            new_worker, wish, most, places, around.clock.now(), settings.log_dir, store
        )
        event = Event(
            EventKind.WORKER_CREATED,
            worker.created_at,
            job.name,
            worker.id,
            {"plotter": plotter.name, "tmp": str(places.tmp)},
        )
        await asyncio.to_thread(store.save_created, worker, [event], asked)
        around.tell(event)
        self._begin(worker, job, plotter)
        return None

    async def _memory(self, job: Job, workers: Sequence[Worker]) -> Memory:
        available = await self._placement.deliveries.rooms.disks.memory()
        needed = self._plotter(job).sizes(job).memory
        expected = [memory for memory in map(memory_to_be_taken, workers) if memory]
        return Memory(available, needed, sum(expected), len(expected))

    def _plotter(self, job: Job) -> Plotter:
        answer = self._around.plugins.first("plotrun_choose_plotter", job=job)
        chosen = self._plotters.get(answer) if isinstance(answer, str) else None
        return chosen or self._plotters[job.plotter]

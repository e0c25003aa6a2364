"""Events between jobs, and fixed times: starts asked for, in the runner's loop.

A worker's record is written together with the events that the change emits (`worker_record.py`).
Here they are acted on when they come: starts are asked for, in the store; the starter counts each
in the commit that writes the worker. What cannot be started at once is given up, unless the job
keeps it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence

from plotrun.holds import JobEnds, NotKnownYet
from plotrun.lifecycle import Life
from plotrun.model import Event, EventKind, Hold, Job
from plotrun.settings.job_events import JOB_END, EventKeys
from plotrun.store import AskedStart, Asker, DueEvent, StoreError
from plotrun.worker_record import WRITE_AGAIN, Surroundings

MISSED = 60.0
"""Seconds: a fixed time that came while plotrun was down is passed over if it is longer ago."""

log = logging.getLogger(__name__)


class BetweenJobs:
    """Knows which events and times come next, and what they have asked for."""

    def __init__(self, around: Surroundings, lives: Mapping[str, Life]) -> None:
        self.next_at: float | None = None
        """When the next event or time comes, as far as it is known."""
        self._around = around
        self._lives = lives
        self._began_at = 0.0
        self._coming: tuple[DueEvent, ...] = ()
        self._times: dict[tuple[str, str], float] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}

    @property
    def _jobs(self) -> tuple[Job, ...]:
        return self._around.settings().jobs

    async def begin(self) -> None:
        """The runner begins."""
        self._began_at = self._around.clock.now()
        await asyncio.to_thread(self._around.store.asked.forget_answered)
        await self.take_up_settings()

    async def take_up_settings(self) -> None:
        """The settings have changed."""
        await asyncio.to_thread(self._set_times)

    def _set_times(self) -> None:
        store, now = self._around.store, self._around.clock.now()
        known = store.asked.times()
        for job in self._jobs:
            for each in job.keys(EventKeys).at:
                key = job.name, str(each)
                following = each.after(now)
                # One farther ahead than the next was written before the clock was set back.
                if not now - MISSED < known.get(key, 0.0) <= following:
                    known[key] = following
        wanted = {(job.name, str(each)) for job in self._jobs for each in job.keys(EventKeys).at}
        self._times = {key: at for key, at in known.items() if key in wanted}
        store.asked.set_times(self._times)

    async def look(self) -> None:
        """Act on events and times that have come."""
        self.let_workers_emit()
        now = self._around.clock.now()
        try:
            await self._act_on_times(now)
            await self._act_on_events(now)
        except StoreError as error:  # the state's disk is full, or gone
            log.error("%s: trying again in %.0f s", error, WRITE_AGAIN)
            self.next_at = now + WRITE_AGAIN
            return
        coming = [event.due_at for event in self._coming if event.due_at > now]
        self.next_at = min([*coming, *self._times.values()], default=None)

    def let_workers_emit(self) -> None:
        """Write events that no step emits: those of phases and percentages."""
        for name, life in self._lives.items():
            record = life.record
            if name not in self._writing and not record.writing and record.emits_now:
                task = asyncio.create_task(record.save())
                self._writing[name] = task
                task.add_done_callback(lambda _, name=name: self._writing.pop(name))  # type: ignore[misc]

    async def end(self) -> None:
        """The runner ends."""
        tasks = tuple(self._writing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Fixed times

    async def _act_on_times(self, now: float) -> None:
        came: dict[tuple[str, str], tuple[int, float]] = {}
        for job in self._jobs:
            for each in job.keys(EventKeys).at:
                key = job.name, str(each)
                at = self._times.get(key)
                if at is not None and at <= now:
                    following = each.after(at)
                    starts = each.start + (came[key][0] if key in came else 0)  # they add up
                    came[key] = starts, following if following > now else each.after(now)
        if came:
            await asyncio.to_thread(self._around.store.asked.by_times, came)
            self._times |= {key: next_at for key, (_, next_at) in came.items()}

    # Events

    async def _act_on_events(self, now: float) -> None:
        around = self._around
        self._coming = tuple(await asyncio.to_thread(around.store.due.all))
        due = [event for event in self._coming if event.due_at <= now and self._has_come(event)]
        if not due:
            return
        acted = {event: self._starts_on(event.name) for event in due}
        told = [self._told(event, starts, now) for event, starts in acted.items()]
        await asyncio.to_thread(around.store.due.act, acted, told)
        self._coming = tuple(event for event in self._coming if event not in acted)
        for each in told:
            around.tell(each)

    def _has_come(self, event: DueEvent) -> bool:
        """Whether what emitted it has taken effect: the slot that it tells of is free.

        The disk may be ahead of the memory for a moment.
        """
        life = self._lives.get(event.worker or "")
        return life is None or not life.record.writing

    def _starts_on(self, name: str) -> dict[str, int]:
        starts = {job.name: job.keys(EventKeys).start_on.get(name, 0) for job in self._jobs}
        return {job: count for job, count in starts.items() if count}

    def _told(self, event: DueEvent, starts: Mapping[str, int], now: float) -> Event:
        words = ", ".join(f"{count} of job {job}" for job, count in starts.items())
        data = {
            "event": event.name,
            "starts": words or "nothing",
            "was_due": event.due_at if event.due_at < self._began_at else None,
        }
        return Event(EventKind.JOB_EVENT, now, event.job, event.worker, data)

    def emitted_by_end(self, job: Job) -> list[DueEvent]:
        """What a job emits that has made all of its plots."""
        keys, now = job.keys(EventKeys), self._around.clock.now()
        ends = [emit for emit in keys.emit if emit.at.text == JOB_END and keys.events]
        return [DueEvent(emit.event, now + emit.delay, job.name) for emit in ends]

    def coming_for(self, job: Job) -> bool:
        """Whether an event has been emitted, and comes later, on which *job* starts."""
        return any(event.name in job.keys(EventKeys).start_on for event in self._coming)

    # What could not be started

    async def give_up(self, job: Job, hold: Hold | None, asked: Sequence[AskedStart]) -> None:
        """Give up starts that were *asked* for and are held, unless the job keeps them."""
        if not asked or hold is None or isinstance(hold, NotKnownYet):
            return
        if not all(life.caught_up for life in self._lives.values()):
            return  # what holds may be of the past
        over = isinstance(hold, JobEnds) and hold.for_user
        kept = job.keys(EventKeys).queue and not over
        dropped = [each for each in asked if each.asker is Asker.HAND or not kept]
        if not dropped:
            return
        reason = "; ".join(hold.reason.split("\n"))
        told = [self._dropped(each, reason) for each in dropped]
        await asyncio.to_thread(self._around.store.asked.drop, dropped, reason, told)
        for event in told:
            self._around.tell(event)
        self._around.changed()  # it waits for the next event now

    def _dropped(self, asked: AskedStart, reason: str) -> Event:
        data = {"count": asked.left, "asked_by": asked.words, "reason": reason}
        return Event(EventKind.STARTS_DROPPED, self._around.clock.now(), asked.job, None, data)

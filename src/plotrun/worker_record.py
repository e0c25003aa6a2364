"""A living worker's record, in memory and in the store, and what a life needs of the runner."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plotrun.clock import Clock
from plotrun.delivery import Deliveries
from plotrun.follow import LogWatch
from plotrun.manager import Plugins
from plotrun.marks import passed
from plotrun.model import Event, EventKind, Job, PlotWork, Worker
from plotrun.process import Executor
from plotrun.settings.job_events import Emit, EventKeys
from plotrun.settings.settings import Settings
from plotrun.space import Disks
from plotrun.store import DueEvent, Store, StoreError

WRITE_AGAIN = 5.0
"""Seconds between two attempts to write the state."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What a life needs of the runner."""

    plugins: Plugins
    store: Store
    executor: Executor
    clock: Clock
    logs: LogWatch
    disks: Disks
    deliveries: Deliveries
    settings: Callable[[], Settings]
    tell: Callable[[Event], None]
    """Hand an event that is in the store to the observers."""
    note: Callable[[Event], None]
    """Tell an event that is not in the store, and write it soon."""
    changed: Callable[[], None]
    """Something that a start may depend on has changed."""
    room: asyncio.Event
    """Set when a waiting plot should be tried again."""


class WorkerRecord:
    """The record of one worker: changed, written, told."""

    def __init__(self, around: Surroundings, worker: Worker, job: Job) -> None:
        self.around = around
        self.worker = worker
        self._emits = job.keys(EventKeys).emit
        self._writing = asyncio.Lock()

    @property
    def writing(self) -> bool:
        """Whether what is on the disk may be ahead of `worker`."""
        return self._writing.locked()

    def event(self, kind: EventKind, /, **data: Any) -> Event:
        """An event of this worker, now."""
        now = self.around.clock.now()
        return Event(kind, now, self.worker.job, self.worker.id, data)

    def change(self, **changes: Any) -> None:
        """Change the record in memory only."""
        self.worker = replace(self.worker, **changes)

    def change_plot(self, number: int, **changes: Any) -> PlotWork:
        """Change the record of one plot in memory only; answers it."""
        changed = replace(self.plot(number), **changes)
        plots = tuple(changed if w.number == number else w for w in self.worker.plots)
        self.worker = replace(self.worker, plots=plots)
        return changed

    def plot(self, number: int) -> PlotWork:
        """The record of one plot."""
        return next(work for work in self.worker.plots if work.number == number)

    async def save(self, *events: Event, **changes: Any) -> None:
        """Write the record with these changes and the events, then tell them."""
        await self.write(self.around.store.save_worker, *events, **changes)

    async def write(self, save: Callable[..., None], *events: Event, **changes: Any) -> None:
        """Write the record by *save*, which takes it and the events; then tell them.

        In memory it changes only when it is written: nobody acts on what is not on the disk.
        Events between jobs that the change emits are written in the same commit.
        """
        async with self._writing:  # or an older state could be written over a newer one
            emits = self._emitted_by(replace(self.worker, **changes))
            if emits:
                changes["emitted"] = (*self.worker.emitted, *map(str, emits))
                save = functools.partial(self._save_emitting, save, self._due(emits))
            await self._write(save, events, changes)
            self.change(**changes)
        for event in events:
            self.around.tell(event)
        self.around.changed()

    @property
    def emits_now(self) -> bool:
        """Whether it has passed a point at which an event is emitted, and that is not written."""
        return bool(self._emitted_by(self.worker))

    def _emitted_by(self, worker: Worker) -> list[Emit]:
        now = self.around.clock.now()
        left = [emit for emit in self._emits if str(emit) not in worker.emitted]
        return [emit for emit in left if passed(emit.at, worker, now)]

    def _due(self, emits: Sequence[Emit]) -> list[DueEvent]:
        """When these events come; none does while the events of the job are switched off."""
        job = self.around.settings().job(self.worker.job)
        if job is not None and not job.keys(EventKeys).events:
            return []
        now, worker = self.around.clock.now(), self.worker
        return [DueEvent(each.event, now + each.delay, worker.job, worker.id) for each in emits]

    def _save_emitting(
        self,
        save: Callable[..., None],
        due: Sequence[DueEvent],
        worker: Worker,
        events: Sequence[Event],
    ) -> None:
        self.around.store.save_emitting(due, lambda: save(worker, events))

    async def _write(
        self, save: Callable[..., None], events: tuple[Event, ...], changes: dict[str, Any]
    ) -> None:
        """Write, however long it takes: nothing may be done that is not written down first."""
        while True:
            try:
                await asyncio.to_thread(save, replace(self.worker, **changes), events)
            except StoreError as error:  # the state's disk is full, or gone
                log.error("%s: trying again in %.0f s", error, WRITE_AGAIN)
                await self.around.clock.sleep(WRITE_AGAIN)
            else:
                return

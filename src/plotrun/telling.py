"""Events told to observers and watchers, and written; how far workers are, written with them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

from plotrun.clock import Clock
from plotrun.lifecycle import Life
from plotrun.lines import log_event
from plotrun.manager import Failure, Plugins
from plotrun.model import Event, EventKind, Progress
from plotrun.observers import Observers
from plotrun.store import Store, StoreError

log = logging.getLogger(__name__)


class Telling:
    """What happens reaches everyone who wants to know of it."""

    def __init__(
        self, plugins: Plugins, store: Store, clock: Clock, lives: Mapping[str, Life]
    ) -> None:
        self.watchers: list[Callable[[Event], None]] = [log_event]
        """Called with every event, on the event loop."""
        self._store = store
        self._clock = clock
        self._lives = lives
        self._observers = Observers(plugins)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._noted: list[Event] = []
        self._failures_told: set[Failure] = set()
        self._written: dict[str, Progress] = {}

    def begin(self) -> None:
        """From now on events may come from other threads."""
        self._loop = asyncio.get_running_loop()

    async def end(self) -> None:
        """Write the last events, and give observers a moment for them."""
        await asyncio.sleep(0)  # lets failures be told that were raised just now
        await self.write()
        await asyncio.to_thread(self._observers.stop)

    def tell(self, event: Event) -> None:
        """Hand an event to observers and watchers; it is in the store, or will be."""
        if event.kind is EventKind.PLOT_DELIVERED:
            for life in self._lives.values():
                life.note_delivered()
        self._observers.tell(event)
        for watcher in self.watchers:
            watcher(event)

    def note(self, event: Event) -> None:
        """Tell an event that is not in the store; `write` writes it."""
        self._noted.append(event)
        self.tell(event)

    def of_runner(self, kind: EventKind, **data: Any) -> None:
        """Note an event of no job."""
        self.note(Event(kind, self._clock.now(), data=data))

    def from_thread(self, event: Event) -> None:
        """Tell an event that is in the store, from whatever thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self.tell, event)

    def plugin_failed(self, failure: Failure) -> None:
        """Tell of it, from whatever thread it was raised in."""
        if self._loop is not None:  # before that, the runner tells of all there are
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self.failure, failure)

    def failure(self, failure: Failure) -> None:
        """Tell of a hook that raised; of each failure once."""
        if failure not in self._failures_told:
            self._failures_told.add(failure)
            self.of_runner(
                EventKind.PLUGIN_FAILED,
                plugin=failure.plugin,
                hook=failure.hook,
                error=failure.error,
            )

    async def write(self) -> None:
        """Write what was noted since the last time, in one go."""
        for life in self._lives.values():
            life.note_copied()
        progress = {
            name: life.record.worker.progress
            for name, life in self._lives.items()
            if life.record.worker.progress != self._written.get(name)
        }
        events, self._noted = self._noted, []
        if progress or events:
            try:
                await asyncio.to_thread(self._store.save_progress, progress, events)
            except StoreError as error:
                log.error("%s", error)
                self._noted = events + self._noted
            else:
                self._written = {
                    name: now
                    for name, now in (self._written | progress).items()
                    if name in self._lives
                }

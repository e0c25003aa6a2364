"""The runner's look around, twice a minute: plotters of others, and how its own are doing."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from plotrun.clock import Clock
from plotrun.lifecycle import Life
from plotrun.model import Worker
from plotrun.plotter import Plotter
from plotrun.process import Executor
from plotrun.process_table import ProcessInfo, children_of
from plotrun.strangers import strangers
from plotrun.threads import in_daemon_thread

INTERVAL = 30.0
"""Seconds between two looks at the process table."""
PATIENCE = 10.0
"""Seconds that file systems have to tell which directory is meant."""

log = logging.getLogger(__name__)


class Lookout:
    """Sees what runs on this machine."""

    def __init__(
        self,
        executor: Executor,
        clock: Clock,
        plotters: Mapping[str, Plotter],
        lives: Mapping[str, Life],
        directories: Callable[[], Collection[Path]],
        changed: Callable[[], None],
    ) -> None:
        """*directories* are those that the settings name."""
        self.others: list[Worker] = []
        """Plotters that plotrun did not start, and workers whose plotter is not installed."""
        self._executor = executor
        self._clock = clock
        self._plotters = plotters
        self._lives = lives
        self._directories = directories
        self._changed = changed
        self._asking: asyncio.Future[list[Worker]] | None = None
        self._looking: dict[Life, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look around, for ever."""
        while True:
            await self._clock.look_again(INTERVAL)
            await self.look()

    async def look(self) -> None:
        """See which other plotters run, and how much each of the runner's own uses."""
        table = await asyncio.to_thread(self._executor.table)
        left_alone = [worker for worker in self.others if worker.job]
        found = await self._strangers(table)
        if [w.id for w in left_alone + found] != [w.id for w in self.others]:
            self._changed()
        self.others = left_alone + found
        children = children_of(table)
        for life in self._lives.values():
            if life not in self._looking:  # a disk that hangs must not hold up the others
                task = asyncio.create_task(life.look(self._clock.now(), children))
                self._looking[life] = task
                task.add_done_callback(functools.partial(self._has_looked, life))

    async def _strangers(self, table: Sequence[ProcessInfo]) -> list[Worker]:
        """Plotters of others; with directories as they call them where a disk does not answer."""
        plotters, own, known = [*self._plotters.values()], set(self._lives), self._directories()
        if self._asking is None or self._asking.done():
            self._asking = in_daemon_thread(
                lambda: strangers(table, plotters, own, known), "look for plotters"
            )
            done, _ = await asyncio.wait({self._asking}, timeout=PATIENCE)
            if done:
                return self._asking.result()
        return strangers(table, plotters, own)

    def _has_looked(self, life: Life, task: asyncio.Task[None]) -> None:
        del self._looking[life]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("worker %s cannot be looked at", life.record.worker.id, exc_info=error)

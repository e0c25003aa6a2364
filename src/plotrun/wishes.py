"""What commands ask of the runner's workers: read when the bell rings, and seen to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from plotrun.lifecycle import Life
from plotrun.model import EventKind, Worker
from plotrun.store import Request, Store


@dataclass(frozen=True)
class _Read:
    """The wishes as they are in the store."""

    finish: frozenset[str]
    kill: Mapping[str, float]
    suspend: Mapping[str, float]
    retry: Mapping[str, float]


class Wishes:
    """Sees to it that workers do what the user wishes."""

    def __init__(
        self,
        store: Store,
        lives: Mapping[str, Life],
        take_up: Callable[[Worker], Awaitable[None]],
    ) -> None:
        """*take_up* takes up a worker of the store that nobody sees through."""
        self._store = store
        self._lives = lives
        self._take_up = take_up
        self._rung = True
        self.to_finish: frozenset[str] = frozenset()
        """Workers whose plotters are to end after the plot under way."""

    def ring(self) -> None:
        """A command has written something."""
        self._rung = True

    async def see_to(self) -> None:
        """Do what is new."""
        if not self._rung:
            return
        self._rung = False
        read = await asyncio.to_thread(self._read)
        self.to_finish = read.finish
        await self._retry(read.retry)
        for name, life in tuple(self._lives.items()):
            await life.note_suspended(read.suspend.get(name))
            if name in read.kill:
                life.kill()

    def _read(self) -> _Read:
        of = self._store.requests.of
        return _Read(
            self._store.finish_requests(), of(Request.KILL), of(Request.SUSPEND), of(Request.RETRY)
        )

    async def _retry(self, names: Mapping[str, float]) -> None:
        if not names:
            return
        for worker in await asyncio.to_thread(self._store.alive_workers):
            if worker.id in names and worker.id not in self._lives:
                await self._take_up(worker)
        for life in [life for name, life in self._lives.items() if name in names]:
            await life.record.save(life.record.event(EventKind.WORKER_RETRIED))
        await asyncio.to_thread(self._store.requests.withdraw, Request.RETRY, tuple(names))

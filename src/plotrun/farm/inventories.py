"""Destinations looked at in threads, one for each: one that hangs is told of and delays nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from plotrun.farm.found import Inventory
from plotrun.farm.look import look_into
from plotrun.space import NOT_ANSWERING
from plotrun.store import Store
from plotrun.threads import in_daemon_thread

Place = tuple[Path, bool]
"""A destination, and whether directories below it are looked into."""


@dataclass
class _Look:
    """A look that is under way."""

    future: asyncio.Future[Inventory]
    files: int = 0
    """How many were looked at so far."""


class Inventories:
    """What lies in destinations, by the last look at each."""

    def __init__(self, store: Store, timeout: float) -> None:
        self.timeout = timeout
        """Seconds without a step after which a disk does not answer: the first look at a large
        one may well take longer, since every header is read."""
        self._store = store
        self._looks: dict[Place, _Look] = {}
        self._last: dict[Place, Inventory] = {}

    def last(self, place: Place) -> Inventory | None:
        """What the last look told, without a new one."""
        return self._last.get(place)

    async def look(self, places: Iterable[Place]) -> list[Inventory]:
        """Look at each destination now, all at the same time."""
        return list(await asyncio.gather(*map(self._look, places)))

    async def _look(self, place: Place) -> Inventory:
        look = self._looks.get(place) or self._start(place)
        seen = -1
        while not look.future.done():
            if look.files == seen:
                return Inventory(place[0], trouble=NOT_ANSWERING)
            seen = look.files
            await asyncio.wait({look.future}, timeout=self.timeout)
        return look.future.result()

    def _start(self, place: Place) -> _Look:
        directory, below = place

        def step() -> None:
            look.files += 1

        def work() -> Inventory:
            known = self._store.headers.of(directory)
            inventory, headers = look_into(directory, below, known, step)
            if inventory.trouble is None:
                self._store.headers.save(directory, known, headers, below)
            return inventory

        def ended(future: asyncio.Future[Inventory]) -> None:
            del self._looks[place]
            if not future.cancelled() and future.exception() is None:
                self._last[place] = future.result()

        look = _Look(asyncio.get_running_loop().create_future())
        self._looks[place] = look
        look.future = in_daemon_thread(work, f"look at {directory}")
        look.future.add_done_callback(ended)
        return look

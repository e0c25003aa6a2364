"""Views for a screen, one after the other; what is costly to ask is asked seldom."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plotrun.machine import MachineWatch
from plotrun.model import Worker
from plotrun.picture import Overview, disks
from plotrun.screen.view import Row, View
from plotrun.settings.problems import SettingsError
from plotrun.status import Seen, assemble, delivered
from plotrun.store import Store

VIEWS_TO_CLOSE_LOOK = 10
"""With every tenth view the process table is looked at, and logs that no runner reads."""
VIEWS_TO_DELIVERED = 10
"""Plots of the last days are counted again with every tenth view."""
VIEWS_TO_DISKS = 30
"""Each look at the disks asks every directory of the settings."""
SPEED_SPAN = 10.0
"""Seconds over which the speed of a copy is told."""


class Views:
    """Makes a view whenever one is asked for."""

    def __init__(
        self,
        store: Store,
        look: Callable[[bool], Seen],
        overview: Callable[[Sequence[Worker]], Overview],
    ) -> None:
        """*look* answers the workers of now, with what is costly only if it is told so; *overview*
        what the disks are asked by. Both are called in threads.

        *overview* may raise SettingsError: then no disks are shown.
        """
        self._store = store
        self._look = look
        self._overview = overview
        self._machine = MachineWatch()
        self._speeds = Speeds()
        self._count = 0
        self._delivered: Mapping[str, Any] = {}
        self._disks: Sequence[Row] | None = None
        self._no_disks: str | None = "asking the disks"
        self._asking: asyncio.Task[None] | None = None

    async def next(self) -> View:
        """The view of now."""
        seen = await asyncio.to_thread(self._look, self._count % VIEWS_TO_CLOSE_LOOK == 0)
        if self._count % VIEWS_TO_DELIVERED == 0:
            self._delivered = await asyncio.to_thread(delivered, self._store, time.time())
        if self._count % VIEWS_TO_DISKS == 0 and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask_disks([*seen.own, *seen.others]))
        self._count += 1
        status = await asyncio.to_thread(
            assemble, self._store, seen, self._machine.look(), self._delivered
        )
        view = View(status, self._disks, self._no_disks)
        return replace(view, speeds=self._speeds.of(view))

    async def whole(self) -> View:
        """The view of now, with the disks."""
        view = await self.next()
        if self._asking is not None:
            await self._asking
        return replace(view, file_systems=self._disks, no_disks=self._no_disks)

    async def _ask_disks(self, workers: Sequence[Worker]) -> None:
        try:
            overview = await asyncio.to_thread(self._overview, workers)
            self._disks = (await disks(overview))["file_systems"]
            self._no_disks = None
        except SettingsError:
            self._disks, self._no_disks = None, "no disks: the settings cannot be read"

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._asking


class Speeds:
    """How fast plots are copied, by what was copied at several moments."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], deque[tuple[float, float]]] = {}

    def of(self, view: View) -> dict[tuple[str, int], float]:
        """Bytes a second of each copy; those that were seen only once are left out."""
        now, found = view.status["at"], {}
        before, self._seen = self._seen, {}
        for copy in view.copies():
            key = (copy.worker, copy.number)
            seen = self._seen[key] = before.get(key, deque())
            seen.append((now, copy.bytes))
            while now - seen[0][0] > SPEED_SPAN:
                seen.popleft()
            (since, least) = seen[0]
            if now > since and copy.bytes > least:
                found[key] = (copy.bytes - least) / (now - since)
        return found

"""The live screen of ``plotrun run`` and ``plotrun status --watch``, with its keys."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from plotrun.model import Worker
from plotrun.picture import Overview
from plotrun.screen import View, page
from plotrun.space import Disks
from plotrun.status import Seen
from plotrun.terminal import Terminal
from plotrun.threads import in_daemon_thread
from plotrun.views import Views

if TYPE_CHECKING:
    from plotrun.runner import Runner
    from plotrun.settings.schema import Schema

REFRESH = 1.0
"""Seconds between two pictures."""
KEYS = "q quit   space more workers   p pause"
PAUSED = "paused: p goes on   q quit   space more workers"

log = logging.getLogger(__name__)


class LiveScreen:
    """Shows views on the terminal, until it is closed."""

    def __init__(self, views: Views, quit_: Callable[[], None]) -> None:
        """*quit_* is called when the user asks for the end."""
        self._views = views
        self._quit = quit_
        self._terminal = Terminal(self._key, self._draw_soon)
        self._drawing = asyncio.Lock()
        self._again = asyncio.Event()
        self._view: View | None = None
        self._turned = 0
        self._paused = False
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> LiveScreen:
        self._terminal.__enter__()
        self._tasks = [asyncio.create_task(self._refresh()), asyncio.create_task(self._redraw())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._views.close()
        self._terminal.__exit__(None, None, None)

    def _key(self, key: str) -> None:
        if key == "q":
            self._quit()
        elif key == " ":
            self._turned += 1
        elif key == "p":
            self._paused = not self._paused
        self._draw_soon()

    def _draw_soon(self) -> None:
        self._again.set()

    async def _refresh(self) -> None:
        while True:
            if not self._paused:
                try:
                    self._view = await self._views.next()
                except Exception:  # a picture that fails must not stop the runner
                    log.exception("the screen cannot be drawn")
                self._draw_soon()
            await asyncio.sleep(REFRESH)

    async def _redraw(self) -> None:
        while True:
            await self._again.wait()
            self._again.clear()
            if self._view is not None:
                # A terminal that stands still (Ctrl-S, a dead connection) holds up only this.
                await in_daemon_thread(self._draw, "draw")

    def _draw(self) -> None:
        assert self._view is not None
        width, height = self._terminal.size
        foot = PAUSED if self._paused else KEYS
        lines = page(self._view, width, height, self._turned, foot)
        self._terminal.draw(lines)


def screen_of_runner(runner: Runner, schema: Schema) -> LiveScreen:
    """The screen of a runner in this process; the user's end is the runner's."""
    asked = Disks(runner.settings.general.disk_timeout)

    def look(_: bool) -> Seen:
        # A copy first: the event loop adds and removes workers meanwhile.
        own = [life.record.worker for life in tuple(runner.lives.values())]
        return Seen(own, runner.others, os.getpid())

    def overview(workers: Sequence[Worker]) -> Overview:
        asked.timeout = runner.settings.general.disk_timeout
        return Overview(runner.settings, schema, runner.plugins, runner.store, workers, asked)

    return LiveScreen(Views(runner.store, look, overview), runner.stop)

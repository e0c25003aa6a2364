"""The live table of ``plotrun run`` on a terminal, with events scrolling by above it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.live import Live

from plotrun.lines import event_words
from plotrun.model import Event
from plotrun.screen import render
from plotrun.status import assemble

if TYPE_CHECKING:
    from plotrun.runner import Runner

REFRESH = 1.0
"""Seconds between two pictures."""


class LiveScreen:
    """Shows a runner while it runs."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._console = Console(highlight=False)
        self._live = Live(
            console=self._console, auto_refresh=False, transient=True, redirect_stderr=False
        )
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> LiveScreen:
        self._runner.watchers.append(self._print)
        self._live.start()
        self._task = asyncio.create_task(self._refresh())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
        self._live.stop()

    def _print(self, event: Event) -> None:
        words = event_words(event)
        if words is not None:
            stamp = time.strftime("%H:%M:%S", time.localtime(event.at))
            self._console.print(f"{stamp} {words}", markup=False)

    async def _refresh(self) -> None:
        while True:
            with contextlib.suppress(Exception):  # a picture that fails must not stop the runner
                self._live.update(await self._picture(), refresh=True)
            await asyncio.sleep(REFRESH)

    async def _picture(self) -> RenderableType:
        own = [life.record.worker for life in self._runner.lives.values()]
        state = await asyncio.to_thread(
            assemble, self._runner.store, own, self._runner.others, os.getpid()
        )
        return render(state, self._console.width)

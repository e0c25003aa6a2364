"""Simulated time: an event loop that does not wait, and the clock that goes with it."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable
from typing import Any

LONGEST = 900.0
"""Seconds after which another look is taken though nothing has changed: a rule of a plugin may
depend on the time without saying on which."""
SELDOM = 10.0
"""Seconds between looks that are seldom."""


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait: when nothing is ready it moves its time on.

    Work handed to threads is done at once, in the loop, so that every run is the same.
    """

    works_inline = True
    """Told to `plotrun.threads`."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def no_waiting(timeout: float | None = None) -> object:
            ready = select(0)
            if not ready and timeout:
                self._now += timeout
            elif not ready and timeout is None:
                raise RuntimeError("the simulation waits for something that never comes")
            return ready

        self._selector.select = no_waiting  # type: ignore[attr-defined]

    def time(self) -> float:
        """Simulated seconds since the loop was made."""
        return self._now

    def run_in_executor(self, _: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """Do the work now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future


class SimulatedClock:
    """The time of the running `SimulatedLoop`, counted from a moment that the simulation chose."""

    def __init__(self, epoch: float, stretch: float = 1.0) -> None:
        """Looks that are seldom by the system's clock are as many times as seldom here."""
        self._epoch = epoch
        self._stretch = stretch
        self._version = 0
        self._seen: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()
        self._looking: list[asyncio.Future[None]] = []

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._epoch + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait, in the loop's time."""
        await asyncio.sleep(seconds)

    def changed(self) -> None:
        """Files or disks are not what they were."""
        self._version += 1
        looking, self._looking = self._looking, []
        for future in looking:
            if not future.done():
                future.set_result(None)

    async def look_again(self, seconds: float) -> None:
        """Wait for something to change, and then as long as a look by the system's clock may."""
        if seconds >= SELDOM:
            seconds *= self._stretch
        task = asyncio.current_task()
        assert task is not None
        if self._seen.get(task) == self._version:
            loop = asyncio.get_running_loop()
            change = loop.create_future()
            self._looking.append(change)
            patience = loop.call_later(max(LONGEST, seconds), _no_change, change)
            try:
                await change
            finally:
                patience.cancel()
        await asyncio.sleep(seconds)
        self._seen[task] = self._version


def _no_change(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

"""Time: the only place that asks what time it is."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """What the core and its plugins know of time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The time of this machine."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class LoopClock:
    """The time of the running event loop: simulated when the loop is a `SimulatedLoop`."""

    def __init__(self, epoch: float = 0.0) -> None:
        self._epoch = epoch

    def now(self) -> float:
        """Seconds since the epoch, which the simulation chose."""
        return self._epoch + asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait, in the loop's time."""
        await asyncio.sleep(seconds)


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

    def run_in_executor(self, _: object, func: object, *args: object) -> object:  # type: ignore[override]
        """Do the work now."""
        future = self.create_future()
        try:
            future.set_result(func(*args))  # type: ignore[operator]
        except Exception as error:
            future.set_exception(error)
        return future

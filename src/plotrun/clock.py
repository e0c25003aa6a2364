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

    async def look_again(self, seconds: float) -> None:
        """Wait before another look at what tells nobody when it changes: files, disks.

        Simulated time knows when nothing has changed, and spares the looks between.
        """
        ...


class SystemClock:
    """The time of this machine."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def look_again(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

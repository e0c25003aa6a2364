"""Disks' bandwidth, shared by what goes on at the same time.

A simple model. Each activity states how many bytes a second of which disks it takes at its full
speed. Where the sum for a disk is more than the disk can do, all activities on it go slower by
the same factor; one that uses several disks goes at the pace of the slowest.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

ENOUGH = 1e-6
"""Seconds of work left that count as none: what rounding leaves."""


@dataclass(eq=False)
class _Activity:
    left: float
    """Seconds at full speed."""
    demands: Mapping[str, float]
    done: asyncio.Future[None]
    speed: float = 1.0


@dataclass
class Sharing:
    """Everything that uses disks now."""

    bandwidth: Mapping[str, float]
    """Bytes a second of each disk that has a limit, by its name."""
    moved: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Bytes read and written so far, of each disk."""
    _active: list[_Activity] = field(default_factory=list)
    _at: float = 0.0
    _next: asyncio.TimerHandle | None = None

    async def work(self, seconds: float, demands: Mapping[str, float]) -> None:
        """Do what takes *seconds* at full speed, with *demands* of disks in bytes a second."""
        if seconds <= 0:
            return
        demands = {disk: demand for disk, demand in demands.items() if demand > 0}
        if not demands:
            await asyncio.sleep(seconds)
            return
        activity = _Activity(seconds, demands, asyncio.get_running_loop().create_future())
        self._go_on()
        self._active.append(activity)
        self._share()
        try:
            await activity.done
        finally:
            if activity in self._active:  # it was given up
                self._go_on()
                self._active.remove(activity)
                self._share()

    def up_to_now(self) -> Mapping[str, float]:
        """Bytes moved until now, of each disk."""
        self._go_on()
        return self.moved

    def _go_on(self) -> None:
        now = asyncio.get_running_loop().time()
        passed, self._at = now - self._at, now
        if passed <= 0:
            return
        for activity in self._active:
            activity.left -= passed * activity.speed
            for disk, demand in activity.demands.items():
                self.moved[disk] += demand * activity.speed * passed

    def _share(self) -> None:
        """Give each activity its speed, and wake up when the first of them is done."""
        totals: defaultdict[str, float] = defaultdict(float)
        for activity in self._active:
            for disk, demand in activity.demands.items():
                totals[disk] += demand
        soonest = None
        for activity in self._active:
            paces = [
                self.bandwidth[disk] / totals[disk]
                for disk in activity.demands
                if disk in self.bandwidth
            ]
            activity.speed = min(1.0, *paces) if paces else 1.0
            left = max(0.0, activity.left) / activity.speed
            soonest = left if soonest is None else min(soonest, left)
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if soonest is not None:
            self._next = asyncio.get_running_loop().call_later(soonest, self._due)

    def _due(self) -> None:
        self._next = None
        self._go_on()
        ended = [activity for activity in self._active if activity.left <= ENOUGH]
        self._active = [activity for activity in self._active if activity.left > ENOUGH]
        for activity in ended:
            if not activity.done.done():
                activity.done.set_result(None)
        self._share()

"""Bringing a finished plot to a destination: which one, when, and trying again until it is there.

A plot in hand is never thrown away: where no destination takes it, it waits in place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plotrun import copying
from plotrun.manager import Failure, Plugins
from plotrun.model import Candidate, Job, Plot
from plotrun.space import Disk, Disks, physical_disk
from plotrun.store import Store
from plotrun.threads import in_daemon_thread

RETRY_SECONDS = 30.0
"""A full disk tells nobody when it has room again: this is how often it is asked."""


@dataclass(frozen=True)
class NoDestination:
    """No destination takes the plot now: each with the reason."""

    reasons: Mapping[Path, str]

    @property
    def words(self) -> str:
        """For people, in one line."""
        return "; ".join(f"{path}: {reason}" for path, reason in self.reasons.items())


@dataclass
class _Promise:
    device: int | None
    path: Path
    bytes: int


class Deliveries:
    """All plots that are on their way to a destination, and the room promised to them."""

    def __init__(
        self, plugins: Plugins, store: Store, disks: Disks, copies_per_disk: int, verify: str
    ) -> None:
        self.copies_per_disk = copies_per_disk
        self.verify = verify
        self._plugins = plugins
        self._store = store
        self._disks = disks
        self._promises: dict[str, _Promise] = {}
        self._choosing = asyncio.Lock()
        self._copying: dict[str, int] = {}
        self._copy_ended = asyncio.Condition()
        self._stopping = False
        self._moving: set[asyncio.Future[Path]] = set()

    async def candidates(self, paths: Sequence[Path], key: str = "") -> list[Candidate]:
        """The destinations *paths* as they are now, in the same order, for the plot of *key*."""
        disks = await self._disks.ask(paths)
        uses = await asyncio.to_thread(self._store.uses)
        others = [promise for name, promise in self._promises.items() if name != key]
        return [
            Candidate(
                path=disk.path,
                position=position,
                free=disk.free,
                promised=sum(p.bytes for p in others if _shares(p, disk)),
                workers=sum(p.path == disk.path for p in others),
                last_used=uses.get(disk.path, 0),
                trouble=disk.trouble,
            )
            for position, disk in enumerate(disks)
        ]

    async def choose(
        self,
        key: str,
        job: Job,
        plot: Plot | None,
        needed: int,
        prefer: Path | None = None,
        avoid: Mapping[Path, str] | None = None,
    ) -> Path | NoDestination:
        """A destination for *needed* bytes, which are promised to *key* from now on.

        *avoid* are destinations that shall not be chosen, with the reason.
        """
        async with self._choosing:
            candidates = [
                replace(candidate, trouble=candidate.trouble or (avoid or {}).get(candidate.path))
                for candidate in await self.candidates(job.dst, key)
            ]
            left, rejected = self._plugins.left_by_filters(
                "plotrun_filter_dst", candidates, job=job, plot=plot, needed=needed
            )
            chosen = prefer if any(c.path == prefer for c in left) else None
            if chosen is None and left:
                answer = self._plugins.first(
                    "plotrun_choose_dst", job=job, plot=plot, needed=needed, candidates=left
                )
                known = any(candidate.path == answer for candidate in left)
                chosen = answer if known else left[0].path
            if chosen is None and plot is not None:
                chosen = await self._make_room(job, plot, needed, rejected)
            if chosen is None:
                return NoDestination(rejected)
            await self._set_promise(key, chosen, needed)
            await asyncio.to_thread(self._store.use, chosen)
            return chosen

    async def _make_room(
        self, job: Job, plot: Plot, needed: int, rejected: Mapping[Path, str]
    ) -> Path | None:
        def ask() -> Path | None:
            answer = self._plugins.first(
                "plotrun_make_room", job=job, plot=plot, needed=needed, rejected=rejected
            )
            return answer if answer in job.dst else None

        return await in_daemon_thread(ask, "make room")

    async def _set_promise(self, key: str, path: Path, needed: int) -> None:
        (disk,) = await self._disks.ask([path])
        self._promises[key] = _Promise(disk.device, path, needed)

    async def promise(self, key: str, path: Path, needed: int) -> None:
        """Promise room to a plot whose destination is known already."""
        async with self._choosing:
            await self._set_promise(key, path, needed)

    def copied(self, key: str, size: int) -> float:
        """How much of a plot of *size* bytes has been copied, from 0 to 1."""
        promise = self._promises.get(key)
        return 1 - min(promise.bytes, size) / size if promise is not None and size else 0.0

    def release(self, key: str) -> None:
        """The plot of *key* has arrived, or will never come."""
        self._promises.pop(key, None)

    def release_all(self, worker: str) -> None:
        """Whatever was promised to *worker*: it has ended."""
        for key in [key for key in self._promises if key.startswith(f"{worker}/")]:
            del self._promises[key]

    async def bring(self, key: str, job: Job, plot: Plot, dst: Path, worker: str) -> Path:
        """Bring the plot to *dst*, where room is promised to *key*; answers its new path.

        Raises:
            copying.DeliveryFailed: it could not be done; the plot is where it was.
        """
        destination = dst / plot.path.name
        async with self._copy_slot(plot.path, dst):

            def deliver() -> Path:
                for name, function in self._plugins.implementations("plotrun_deliver"):
                    answer = self._plugins.call(
                        name, "plotrun_deliver", function, job=job, plot=plot, dst=dst
                    )
                    if isinstance(answer, Failure):
                        raise copying.DeliveryFailed(str(answer))
                    if isinstance(answer, Path):
                        return answer
                copying.bring(
                    plot.path,
                    destination,
                    worker,
                    self.verify,
                    lambda moved: self._moved(key, plot.size - moved),
                    lambda: self._stopping,
                )
                return destination

            moving = self._disks.move(deliver, plot, dst)
            self._moving.add(moving)
            try:
                return await moving
            finally:
                self._moving.discard(moving)

    def _moved(self, key: str, left: int) -> None:
        """What is copied already is no longer free: promise only the rest."""
        promise = self._promises.get(key)
        if promise is not None:
            promise.bytes = left

    @contextlib.asynccontextmanager
    async def _copy_slot(self, source: Path, dst: Path) -> AsyncIterator[None]:
        """Wait until the disk of *dst* may take one more copy; a rename needs no waiting."""
        here, there = await self._disks.ask([source.parent, dst])
        if there.device is None or here.device == there.device:
            yield
            return
        disk = physical_disk(there.device)
        async with self._copy_ended:
            await self._copy_ended.wait_for(
                lambda: self._copying.get(disk, 0) < self.copies_per_disk
            )
            self._copying[disk] = self._copying.get(disk, 0) + 1
        try:
            yield
        finally:
            self._copying[disk] -= 1
            async with self._copy_ended:
                self._copy_ended.notify_all()

    async def stop(self, patience: float = 5.0) -> None:
        """Give up copies that are running: they are begun again by the next plotrun."""
        self._stopping = True
        if self._moving:
            await asyncio.wait(set(self._moving), timeout=patience)


def _shares(promise: _Promise, disk: Disk) -> bool:
    if promise.device is None or disk.device is None:
        return promise.path == disk.path
    return promise.device == disk.device

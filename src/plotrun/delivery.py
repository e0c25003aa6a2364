"""Bringing a finished plot to a destination: which one, when, and trying again until it is there.

A plot in hand is never thrown away: where no destination takes it, it waits in place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from plotrun import copying
from plotrun.manager import Failure, Plugins
from plotrun.model import Candidate, Job, Plot
from plotrun.rooms import Look, Promise, Rooms
from plotrun.space import physical_disk
from plotrun.threads import in_daemon_thread

if TYPE_CHECKING:
    from plotrun.settings.settings import Settings

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


@dataclass(frozen=True)
class Judged:
    """The destinations of a job, as the plugins judged them for one plot."""

    candidates: Sequence[Candidate]
    left: Sequence[Candidate]
    """Those that take it."""
    rejected: Mapping[Path, str]
    """Why the others do not."""


class Deliveries:
    """All plots that are on their way to a destination, and the room promised to them."""

    def __init__(self, plugins: Plugins, rooms: Rooms, settings: Callable[[], Settings]) -> None:
        self.rooms = rooms
        self._plugins = plugins
        self._settings = settings
        self._choosing = asyncio.Lock()
        self._copying: dict[str, int] = {}
        self._copy_ended = asyncio.Condition()
        self._stopping = False
        self._moving: set[asyncio.Future[Path]] = set()

    def judge(
        self,
        look: Look,
        job: Job,
        plot: Plot | None,
        needed: int,
        source: Path | None = None,
        key: str = "",
        avoid: Mapping[Path, str] | None = None,
        more: Sequence[Promise] = (),
    ) -> Judged:
        """Ask the plugins which of the job's destinations take a plot of *needed* bytes.

        It lies or is made in *source*. What is promised to *key* is not counted, what *more*
        promises is. *avoid* are destinations that shall not be chosen, with the reason.
        """
        candidates = [
            replace(candidate, trouble=candidate.trouble or (avoid or {}).get(candidate.path))
            for candidate in look.destinations(job.dst, needed, source, key, more)
        ]
        return Judged(candidates, *self._filter(job, plot, needed, candidates))

    def _filter(
        self, job: Job, plot: Plot | None, needed: int, candidates: Sequence[Candidate]
    ) -> tuple[list[Candidate], dict[Path, str]]:
        return self._plugins.left_by_filters(
            "plotrun_filter_dst",
            candidates,
            job=job,
            plot=plot,
            needed=needed,
            settings=self._settings(),
        )

    def best(
        self, job: Job, plot: Plot | None, needed: int, left: Sequence[Candidate]
    ) -> Candidate | None:
        """The one that the plugins choose of those *left*; None if there is none."""
        if not left:
            return None
        answer = self._plugins.first(
            "plotrun_choose_dst", job=job, plot=plot, needed=needed, candidates=left
        )
        return next((candidate for candidate in left if candidate.path == answer), left[0])

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
            source = plot.path.parent if plot is not None else None
            look = await self.rooms.look([*job.dst, *([source] if source else [])])
            judged = self.judge(look, job, plot, needed, source, key, avoid)
            best = next((c for c in judged.left if c.path == prefer), None)
            best = best or self.best(job, plot, needed, judged.left)
            if best is not None:
                chosen, needed = best.path, best.needed
            else:
                freed = None
                if plot is not None:
                    freed = await self._make_room(job, plot, needed, judged.rejected)
                if freed is None:
                    return NoDestination(judged.rejected)
                chosen = freed
            await self._set_promise(key, chosen, needed)
            await asyncio.to_thread(self.rooms.store.use, chosen)
            return chosen

    async def refused(self, key: str, job: Job, plot: Plot, dst: Path) -> str | None:
        """Why *dst* does not take the plot of *key*, whatever room it has; or None."""
        look = await self.rooms.look([dst])
        return self._filter(job, plot, 0, look.destinations([dst], 0, without=key))[1].get(dst)

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
        (disk,) = await self.rooms.disks.ask([path])
        self.rooms.promises[key] = Promise(disk.device, path, needed)

    async def promise(self, key: str, path: Path, needed: int, source: Path | None = None) -> None:
        """Promise room to a plot whose destination is known already.

        It takes none there if *source*, where it lies or is made, is on the same file system.
        """
        async with self._choosing:
            look = await self.rooms.look([path, *([source] if source else [])])
            (candidate,) = look.destinations([path], needed, source)
            await self._set_promise(key, path, candidate.needed)

    def copied(self, key: str, size: int) -> float:
        """How much of a plot of *size* bytes has been copied, from 0 to 1."""
        promise = self.rooms.promises.get(key)
        return 1 - min(promise.bytes, size) / size if promise is not None and size else 0.0

    def release(self, key: str) -> None:
        """The plot of *key* has arrived, or will never come."""
        self.rooms.promises.pop(key, None)

    def release_all(self, worker: str) -> None:
        """Whatever was promised to *worker*: it has ended."""
        for key in [key for key in self.rooms.promises if key.startswith(f"{worker}/")]:
            del self.rooms.promises[key]

    async def bring(self, key: str, job: Job, plot: Plot, dst: Path, worker: str) -> Path:
        """Bring the plot to *dst*, where room is promised to *key*; answers its new path.

        Raises:
            copying.DeliveryFailed: it could not be done; the plot is where it was.
        """
        destination = dst / plot.path.name
        verify = self._settings().general.verify
        async with self._copy_slot(plot.path, dst):
            # It may have waited for hours: the disk may have been taken away meanwhile.
            refused = await self.refused(key, job, plot, dst)
            if refused is not None:
                raise copying.DeliveryFailed(f"{dst}: {refused}")

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
                    verify,
                    lambda moved: self._moved(key, plot.size - moved),
                    lambda: self._stopping,
                )
                return destination

            moving = self.rooms.disks.move(deliver, plot, dst)
            self._moving.add(moving)
            try:
                return await moving
            finally:
                self._moving.discard(moving)

    def _moved(self, key: str, left: int) -> None:
        """What is copied already is no longer free: promise only the rest."""
        promise = self.rooms.promises.get(key)
        if promise is not None:
            promise.bytes = left

    @contextlib.asynccontextmanager
    async def _copy_slot(self, source: Path, dst: Path) -> AsyncIterator[None]:
        """Wait until the disk of *dst* may take one more copy; a rename needs no waiting."""
        here, there = await self.rooms.disks.ask([source.parent, dst])
        if there.device is None or here.device == there.device:
            yield
            return
        disk = physical_disk(there.device)
        async with self._copy_ended:
            await self._copy_ended.wait_for(
                lambda: self._copying.get(disk, 0) < self._settings().general.copies_per_disk
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

"""Bringing a finished plot to a destination: which one, when, and trying again until it is there.

A plot in hand is never thrown away: where no destination takes it, it waits in place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from plotrun import copying
from plotrun.farm.farm import Farm, Farms, Promised
from plotrun.farm.found import Inventory
from plotrun.manager import Failure, Plugins
from plotrun.model import Candidate, Job, Plot
from plotrun.space import Disk, Disks, physical_disk
from plotrun.store import Store
from plotrun.threads import in_daemon_thread

RETRY_SECONDS = 30.0
"""A full disk tells nobody when it has room again: this is how often it is asked."""
MAKE_ROOM_SECONDS = 60.0
"""Longer nobody waits for a plugin to make room on a disk: another may be tried."""


@dataclass(frozen=True)
class NoDestination:
    """No destination takes the plot now: each with the reason."""

    reasons: Mapping[Path, str]

    @property
    def words(self) -> str:
        """For people, in one line."""
        return "; ".join(f"{path}: {reason}" for path, reason in self.reasons.items())


@dataclass(frozen=True)
class _Asked:
    """The question for a destination."""

    key: str
    job: Job
    plot: Plot | None
    needed: int
    prefer: Path | None
    avoid: Mapping[Path, str]

    @property
    def arguments(self) -> dict[str, Any]:
        """What every hook about it is told."""
        return {"job": self.job, "plot": self.plot, "needed": self.needed}


@dataclass
class _Promise:
    device: int | None
    path: Path
    bytes: int


class Deliveries:
    """All plots that are on their way to a destination, and the room promised to them."""

    def __init__(
        self,
        plugins: Plugins,
        store: Store,
        disks: Disks,
        farms: Farms,
        copies_per_disk: int,
        verify: str,
    ) -> None:
        self.copies_per_disk = copies_per_disk
        self.verify = verify
        self._plugins = plugins
        self._store = store
        self._disks = disks
        self._farms = farms
        self._promises: dict[str, _Promise] = {}
        self._choosing = asyncio.Lock()
        self._copying: dict[str, int] = {}
        self._copy_ended = asyncio.Condition()
        self._stopping = False
        self._looks: set[asyncio.Task[list[Inventory]]] = set()
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
        asked = _Asked(key, job, plot, needed, prefer, avoid or {})
        async with self._choosing:
            chosen = await self._choose(asked)
        if isinstance(chosen, NoDestination):
            return await self._after_making_room(asked) or chosen
        return chosen

    async def _choose(self, asked: _Asked) -> Path | NoDestination:
        """One of the destinations that have room, promised from now on."""
        left, rejected = self._filtered(asked, await self._candidates(asked))
        if not left:
            return NoDestination(rejected)
        chosen = asked.prefer if any(c.path == asked.prefer for c in left) else None
        if chosen is None:
            answer = self._plugins.first("plotrun_choose_dst", candidates=left, **asked.arguments)
            known = any(candidate.path == answer for candidate in left)
            chosen = answer if known else left[0].path
        await self._take(asked, chosen)
        return chosen

    async def _candidates(self, asked: _Asked) -> list[Candidate]:
        return [
            replace(candidate, trouble=candidate.trouble or asked.avoid.get(candidate.path))
            for candidate in await self.candidates(asked.job.dst, asked.key)
        ]

    def _filtered(
        self, asked: _Asked, candidates: Sequence[Candidate]
    ) -> tuple[list[Candidate], dict[Path, str]]:
        return self._plugins.left_by_filters("plotrun_filter_dst", candidates, **asked.arguments)

    async def _take(self, asked: _Asked, chosen: Path) -> None:
        await self._set_promise(asked.key, chosen, asked.needed)
        await asyncio.to_thread(self._store.use, chosen)

    # Room made by plugins

    async def could_make_room(self, job: Job, needed: int) -> Path | None:
        """A destination on which room for a plot could be made, as far as is known; quick.

        What is not known yet is looked at in the background: ask again.
        """
        asked = _Asked("", job, None, needed, None, {})
        farm = self._farm(asked, only_asking=True)
        candidate = await self._could_make_room(asked, farm)
        if farm.asked:
            look = asyncio.create_task(self._farms.inventories.look(farm.asked))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
        return candidate.path if candidate is not None else None

    async def _after_making_room(self, asked: _Asked) -> Path | None:
        """A destination on which a plugin has made room, promised from now on."""
        farm = self._farm(asked, only_asking=True)
        candidate = await self._could_make_room(asked, farm)
        if farm.asked:  # without the lock: reading thousands of headers takes its time
            await self._farms.inventories.look(farm.asked)
        elif candidate is None:
            return None
        async with self._choosing:
            chosen = await self._choose(asked)  # things may have changed meanwhile
            if isinstance(chosen, Path):
                return chosen
            farm = self._farm(asked)
            candidate = await self._could_make_room(asked, farm)
            if candidate is None:
                return None
            # From now on nobody else counts on what becomes free there.
            await self._take(asked, candidate.path)
        made = await self._make_room(asked, candidate, farm)
        async with self._choosing:
            left, _ = self._filtered(asked, await self._candidates(asked))
            if made and any(each.path == candidate.path for each in left):
                return candidate.path
            self.release(asked.key)
            return None

    def _farm(self, asked: _Asked, only_asking: bool = False) -> Farm:
        """What a plugin may ask of the plots in destinations, and how it removes some."""
        promises = [
            Promised(name.partition("/")[0], promise.path, promise.device)
            for name, promise in self._promises.items()
            if name != asked.key
        ]
        worker = asked.key.partition("/")[0]
        return Farm(self._farms, asked.job.name, worker, asked.plot, promises, only_asking)

    async def _could_make_room(self, asked: _Asked, farm: Farm) -> Candidate | None:
        candidates = await self._candidates(asked)
        # Those that reject the plot for another reason would do so with all the room there is.
        roomy = [
            replace(c, free=c.free + asked.needed + c.promised) if c.free is not None else c
            for c in candidates
        ]
        left = {each.path for each in self._filtered(asked, roomy)[0]}
        full = [candidate for candidate in candidates if candidate.path in left]
        if not full:
            return None

        def ask() -> Any:
            return self._plugins.first(
                "plotrun_could_make_room", candidates=full, farm=farm, **asked.arguments
            )

        answer = await self._in_time(ask, "could make room", self._disks.timeout)
        return next((candidate for candidate in full if candidate.path == answer), None)

    async def _make_room(self, asked: _Asked, candidate: Candidate, farm: Farm) -> bool:
        def ask() -> Any:
            return self._plugins.first(
                "plotrun_make_room", candidate=candidate, farm=farm, **asked.arguments
            )

        try:
            return bool(await self._in_time(ask, "make room", MAKE_ROOM_SECONDS))
        finally:
            farm.give_up()  # a thread that was too slow removes nothing more

    async def _in_time(self, ask: Callable[[], Any], name: str, seconds: float) -> Any:
        """What the thread answers, None if it takes too long."""
        thread = in_daemon_thread(ask, name)
        done, _ = await asyncio.wait({thread}, timeout=seconds)
        return thread.result() if done else None

    # Promises

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

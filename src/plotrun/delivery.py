"""Bringing a finished plot to a destination: which one, when, and trying again until it is there.

A plot in hand is never thrown away: where no destination takes it, it waits in place.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plotrun import copying
from plotrun.farm.farm import Farm, Farms, Promised
from plotrun.farm.found import Inventory
from plotrun.farm.inventories import Place
from plotrun.manager import Failure, Plugins
from plotrun.model import Candidate, Job, Plot
from plotrun.rooms import Look, Promise, Rooms
from plotrun.space import physical_disk
from plotrun.threads import in_daemon_thread

if TYPE_CHECKING:
    from plotrun.settings.settings import Settings

RETRY_SECONDS = 30.0
"""A full disk tells nobody when it has room again: this is how often it is asked."""
ENOUGH = 1 << 50
"""Bytes: a disk that takes no plot with so much free has another reason."""
LOOK_AGAIN = 60.0
"""Seconds between two looks at the plots of a destination, where starts only ask whether room
could be made: they ask at every change."""
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
    source: Path | None = None
    """Where the plot lies or is made."""
    prefer: Path | None = None
    avoid: Mapping[Path, str] = field(default_factory=dict)

    @property
    def arguments(self) -> dict[str, Any]:
        """What every hook about it is told."""
        return {"job": self.job, "plot": self.plot, "needed": self.needed}


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

    def __init__(
        self, plugins: Plugins, rooms: Rooms, farms: Farms, settings: Callable[[], Settings]
    ) -> None:
        self.rooms = rooms
        self._plugins = plugins
        self._farms = farms
        self._settings = settings
        self._choosing = asyncio.Lock()
        self._copying: dict[str, int] = {}
        self._copy_ended = asyncio.Condition()
        self._stopping = False
        self.more_known: Callable[[], None] = lambda: None
        """Called when more is known of destinations on which room could be made."""
        self._looks: set[asyncio.Task[list[Inventory]]] = set()
        self._look_again: dict[Place, float] = {}
        self._moving: set[asyncio.Future[Path]] = set()

    def judge(
        self,
        look: Look,
        job: Job,
        plot: Plot | None,
        needed: int,
        source: Path | None = None,
        more: Sequence[Promise] = (),
    ) -> Judged:
        """Ask the plugins which of the job's destinations take a plot of *needed* bytes.

        It lies or is made in *source*. What *more* promises is counted beside the rest.
        """
        asked = _Asked("", job, plot, needed, source)
        candidates = look.destinations(job.dst, needed, source, more=more)
        return Judged(candidates, *self._filtered(asked, candidates))

    def best(
        self, job: Job, plot: Plot | None, needed: int, left: Sequence[Candidate]
    ) -> Candidate | None:
        """The one that the plugins choose of those *left*; None if there is none."""
        return self._best(_Asked("", job, plot, needed), left)

    def _best(self, asked: _Asked, left: Sequence[Candidate]) -> Candidate | None:
        if not left:
            return None
        answer = self._plugins.first("plotrun_choose_dst", candidates=left, **asked.arguments)
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
        source = plot.path.parent if plot is not None else None
        asked = _Asked(key, job, plot, needed, source, prefer, avoid or {})
        async with self._choosing:
            chosen = await self._choose(asked)
        if isinstance(chosen, NoDestination):
            return await self._after_making_room(asked) or chosen
        return chosen

    async def _choose(self, asked: _Asked) -> Path | NoDestination:
        """One of the destinations that have room, promised from now on."""
        left, rejected = self._filtered(asked, await self._candidates(asked))
        best = next((c for c in left if c.path == asked.prefer), None) or self._best(asked, left)
        if best is None:
            return NoDestination(rejected)
        await self._take(asked, best)
        return best.path

    async def _candidates(self, asked: _Asked) -> list[Candidate]:
        look = await self.rooms.look([*asked.job.dst, *filter(None, [asked.source])])
        found = look.destinations(asked.job.dst, asked.needed, asked.source, asked.key)
        return [
            replace(candidate, trouble=candidate.trouble or asked.avoid.get(candidate.path))
            for candidate in found
        ]

    def _filtered(
        self, asked: _Asked, candidates: Sequence[Candidate]
    ) -> tuple[list[Candidate], dict[Path, str]]:
        return self._plugins.left_by_filters(
            "plotrun_filter_dst", candidates, settings=self._settings(), **asked.arguments
        )

    async def _take(self, asked: _Asked, chosen: Candidate) -> None:
        await self._set_promise(asked.key, chosen.path, chosen.needed)
        await asyncio.to_thread(self.rooms.store.use, chosen.path)

    async def refused(self, key: str, job: Job, plot: Plot, dst: Path) -> str | None:
        """Why *dst* does not take the plot of *key*, whatever room it has; or None."""
        look = await self.rooms.look([dst])
        candidates = look.destinations([dst], 0, without=key)
        return self._filtered(_Asked(key, job, plot, 0), candidates)[1].get(dst)

    # Room made by plugins

    async def could_make_room(self, job: Job, needed: int) -> Path | None:
        """A destination on which room for a plot could be made, as far as is known; quick.

        What is not known yet is looked at in the background: ask again.
        """
        asked = _Asked("", job, None, needed)
        farm = self._farm(asked, only_asking=True)
        candidate = await self._could_make_room(asked, farm)
        now = self._farms.clock.now()
        due = [place for place in farm.asked if now >= self._look_again.get(place, now)]
        if due:
            new = any(self._farms.inventories.last(place) is None for place in due)
            self._look_again |= dict.fromkeys(due, now + LOOK_AGAIN)
            look = asyncio.create_task(self._farms.inventories.look(due))
            self._looks.add(look)
            look.add_done_callback(self._looks.discard)
            if new:  # whoever asked may be answered otherwise now
                look.add_done_callback(lambda _: self.more_known())
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
            await self._take(asked, candidate)
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
            for name, promise in self.rooms.promises.items()
            if name != asked.key
        ]
        worker = asked.key.partition("/")[0]
        return Farm(self._farms, asked.job.name, worker, asked.plot, promises, only_asking)

    async def _could_make_room(self, asked: _Asked, farm: Farm) -> Candidate | None:
        candidates = await self._candidates(asked)
        full = [
            replace(candidate, kept_free=kept)
            for candidate in candidates
            if candidate.free is not None and (kept := self._kept_free(asked, candidate)) >= 0
        ]
        if not full:
            return None

        def ask() -> Any:
            return self._plugins.first(
                "plotrun_could_make_room", candidates=full, farm=farm, **asked.arguments
            )

        answer = await self._in_time(ask, "could make room", self.rooms.disks.timeout)
        return next((candidate for candidate in full if candidate.path == answer), None)

    def _kept_free(self, asked: _Asked, candidate: Candidate) -> int:
        """How much beside the plot must be free for the plugins to take it; -1: they never do."""

        def takes(kept: int) -> bool:
            free = candidate.needed + candidate.promised + candidate.expected + kept
            return bool(self._filtered(asked, [replace(candidate, free=free)])[0])

        least, most = 0, ENOUGH
        if not takes(most):  # for another reason than its room
            return -1
        while least < most:
            middle = (least + most) // 2
            least, most = (least, middle) if takes(middle) else (middle + 1, most)
        return least

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

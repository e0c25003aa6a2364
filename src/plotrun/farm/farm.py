"""What hooks that make room may ask of the destinations, and the one way to remove a plot."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plotrun.clock import Clock
from plotrun.farm.found import FoundPlot, Inventory
from plotrun.farm.inventories import Inventories, Place
from plotrun.farm.removal import Stays, remove, why_open
from plotrun.model import Event, EventKind, Plot, PlotStage, Worker
from plotrun.space import free_bytes
from plotrun.store import Store
from plotrun.store.removals import OpenClearing, Removal, RemovalState
from plotrun.words import duration_words, moment_words, printable, size_words

DAY = 86400.0
JUST_WRITTEN = DAY
"""Seconds: what was written less than that ago never goes, whatever a policy says."""
CUT_OFF = 120.0
"""Seconds for which nothing is removed after a clearing was cut off: some file systems (btrfs)
give the room of a removed file back only after half a minute."""
APPEARS_WITHIN = 10.0
"""Seconds in which the room of removed plots should be there."""
LOG_NAME = "replot.log"

log = logging.getLogger(__name__)


@dataclass
class Farms:
    """What all questions about the plots in destinations share: one for each runner."""

    store: Store
    clock: Clock
    inventories: Inventories
    log_dir: Callable[[], Path]
    tell: Callable[[Event], None]
    """Hand an event that is in the store to observers, from any thread."""
    workers: Callable[[], Sequence[Worker]]
    """All that are alive."""
    clearing: set[Path] = field(default_factory=set)
    """Destinations in which a thread is removing plots."""

    def settle(self, unsettled: Sequence[Removal]) -> None:
        """Find out what became of removals that were cut off, and tell of them."""
        for removal in unsettled:
            if os.path.lexists(removal.path):
                self.store.removals.settle(removal.number, RemovalState.KEPT)
            elif removal.directory.is_dir():  # else nobody knows: the disk is not there
                self.settle_removed(removal, self.clock.now())

    def settle_removed(self, removal: Removal, at: float) -> None:
        """Write that a plot has gone, and tell of it."""
        event = Event(
            EventKind.PLOT_REMOVED,
            at,
            removal.job,
            removal.worker,
            {
                "plot": str(removal.path),
                "plot_id": removal.plot_id,
                "k": removal.k,
                "format": removal.format,
                "size": removal.size,
                "dst": str(removal.directory),
                "for_plot": removal.for_plot,
            },
        )
        self.store.removals.settle(removal.number, RemovalState.REMOVED, [event])
        self._write_down(removal, at)
        self.tell(event)

    def _write_down(self, removal: Removal, at: float) -> None:
        """Add a line to ``replot.log``; the store has it anyway."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
        made = time.strftime("%Y-%m-%d", time.localtime(removal.made_at))
        line = (
            f"{stamp} removed {printable(removal.path)} ({removal.format}, k={removal.k}, "
            f"{size_words(removal.size)}, of {made}) for plot "
            f"{removal.for_plot or 'to be made'} of job {removal.job}, worker {removal.worker}\n"
        )
        try:
            directory = self.log_dir()
            directory.mkdir(parents=True, exist_ok=True)
            with (directory / LOG_NAME).open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            log.warning("%s: %s", LOG_NAME, error.strerror or error)


@dataclass(frozen=True)
class Promised:
    """Room that is promised to a plot of a worker."""

    worker: str
    path: Path
    device: int | None


class Farm:
    """The plots in the destinations, as they are asked about for one plot of one job.

    Hooks get it. All that it does may block: they are called in threads.
    """

    def __init__(
        self,
        farms: Farms,
        job: str,
        worker: str,
        plot: Plot | None,
        promises: Sequence[Promised] = (),
        only_asking: bool = False,
    ) -> None:
        self.now = farms.clock.now()
        """Seconds since the epoch."""
        self.asked: dict[Place, None] = {}
        """Destinations that were asked for."""
        self._farms = farms
        self._store = farms.store
        self._job = job
        self._worker = worker
        self._plot = plot
        self._promises = promises
        self._workers = farms.workers()
        self._only_asking = only_asking
        self._given_up = only_asking
        self._in_hand = in_hand(self._workers, plot)

    def inventory(self, destination: Path, below: bool = False) -> Inventory:
        """The plots in *destination* when it was last looked at, which is done in between."""
        place = (destination, below)
        self.asked[place] = None
        known = self._farms.inventories.last(place)
        return known or Inventory(destination, trouble="not looked at yet")

    def removed_in(self, seconds: float) -> int:
        """How many plots were removed for this job in the last *seconds*."""
        return self._store.removals.count(self._job, self.now - seconds)

    def held(self, destination: Path) -> str | None:
        """Why nothing may be removed in *destination* now, or None.

        Plots were removed there, and no new one has been delivered since; or a plot is arriving:
        what has arrived of it is not free any more, and is promised still.
        """
        if destination in self._farms.clearing:
            return "plots are being removed there"
        for clearing in self._store.removals.open_in(destination):
            reason = self._held_by(clearing)
            if reason is not None:
                return reason
        try:
            return "a plot is arriving there" if self._arriving(destination) else None
        except OSError as error:
            return error.strerror or str(error)

    def _held_by(self, clearing: OpenClearing) -> str | None:
        if clearing.last_at is None:
            return None
        # A plot that is there arrives soon, or shows that nothing more should be removed. The
        # room for one that is not made yet is held for it, for hours.
        if self._plot is None and any(each.worker == clearing.worker for each in self._promises):
            return None
        when = moment_words(clearing.last_at, self.now)
        if clearing.complete:
            return f"a plot was removed there ({when}), and none has been delivered since"
        left = clearing.last_at + CUT_OFF - self.now
        if left <= 0:
            return None
        return f"removing plots there was cut off ({when}): not for {duration_words(left)}"

    def _arriving(self, destination: Path) -> bool:
        """Whether a part of a plot is on this file system that is promised room there still."""
        ids = undelivered(self._workers)
        device = destination.stat().st_dev
        places = {each.path for each in self._promises if each.device == device}
        return any(
            plot_id in name
            for place in places
            for name in os.listdir(place)  # noqa: PTH208 - names are all that is wanted
            for plot_id in ids
        )

    def stays(self, plot: FoundPlot) -> str | None:
        """Why *plot* never goes, whatever a policy says; None: nothing is against it so far.

        Whether it is open is asked apart, by `why_open`: that takes its time.
        """
        if plot.facts.plot_id in self._in_hand:
            return "plotrun has it in hand"
        if plot.changed_at > self.now - JUST_WRITTEN:
            return "written less than a day ago"
        if plot.links != 1:
            return "has another name: removing it frees nothing"
        return None

    def why_open(self, plot: FoundPlot) -> str | None:
        """Why *plot* cannot be removed now: it is open in a process, or is not what it was.

        None where nothing is to be removed yet: the answer has to be quick there.
        """
        if self._only_asking:
            return None
        try:
            return why_open(plot)
        except Stays as stays:
            return str(stays)

    def make_room(self, destination: Path, plots: Sequence[FoundPlot], enough: int) -> bool:
        """Remove *plots* of *destination*, one after the other, until *enough* bytes are free.

        Answers whether they are. Each removal is written down before and after, and told. It
        stops at the first plot that cannot be removed, and removes none that is in another
        destination, or that stays whatever a policy says.

        Raises:
            StoreError: it could not be written down; nothing is removed then.
            OSError: the disk cannot be asked.
        """
        if self._given_up or self.held(destination) is not None:
            return False
        self._farms.clearing.add(destination)
        try:
            return self._clear(destination, plots, enough)
        finally:
            self._farms.clearing.discard(destination)

    def _clear(self, destination: Path, plots: Sequence[FoundPlot], enough: int) -> bool:
        free = free_bytes(destination)[0]
        if free >= enough:
            return True
        for_plot = self._plot.plot_id if self._plot is not None else None
        clearing = self._store.removals.begin(self._job, self._worker, for_plot, destination)
        for plot in plots:
            # The room of what has been removed may not be there yet: it counts all the same.
            if max(free, free_bytes(destination)[0]) >= enough:
                break
            if self._given_up or not self._remove(clearing, destination, plot):
                return False
            free += plot.allocated
        self._store.removals.complete(clearing)
        return self._appears(destination, enough)

    def _remove(self, clearing: int, destination: Path, plot: FoundPlot) -> bool:
        """Remove one plot, written down before and after; answers whether it has gone."""
        intended: list[Removal] = []

        def intend() -> None:
            at = self._farms.clock.now()
            intended.append(self._store.removals.intend(clearing, at, plot))

        try:
            reason = self.stays(plot)
            if plot.directory != destination:
                reason = "it is in another destination"
            if reason is not None:
                raise Stays(reason)
            remove(plot, intend)
        except Stays as stays:
            for removal in intended:
                self._store.removals.settle(removal.number, RemovalState.KEPT)
            log.warning("%s stays: %s", printable(plot.path), stays)
            return False
        (removal,) = intended
        self._farms.settle_removed(removal, self._farms.clock.now())
        return True

    def _appears(self, destination: Path, enough: int) -> bool:
        """Wait until the room is there; answers whether it is."""
        for _ in range(int(APPEARS_WITHIN / 0.1)):
            if free_bytes(destination)[0] >= enough:
                return True
            time.sleep(0.1)
        return False

    def give_up(self) -> None:
        """Remove nothing more: nobody waits for it."""
        self._given_up = True


def in_hand(workers: Sequence[Worker], plot: Plot | None) -> frozenset[str]:
    """Ids of plots that are being made or brought, or were brought by workers that still live."""
    brought = {work.plot.plot_id for worker in workers for work in worker.plots}
    return undelivered(workers) | brought | ({plot.plot_id} if plot is not None else set())


def undelivered(workers: Sequence[Worker]) -> frozenset[str]:
    """Ids of plots that are being made or brought."""
    found: set[str] = set()
    for worker in workers:
        found.update(worker.plot_ids)
        if worker.progress.plot_id is not None:
            found.add(worker.progress.plot_id)
        for work in worker.plots:
            if work.stage in (PlotStage.FINISHED, PlotStage.DELIVERING):
                found.add(work.plot.plot_id)
            else:
                found.discard(work.plot.plot_id)
    return frozenset(found)

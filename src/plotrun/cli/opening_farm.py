"""What commands open that look at the plots in destinations: no runner has to be up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from plotrun.cli.opening import Opened, open_settings
from plotrun.clock import SystemClock
from plotrun.farm.farm import Farm, Farms
from plotrun.farm.found import Inventory
from plotrun.farm.inventories import Inventories, Place
from plotrun.learned_sizes import sizes_of
from plotrun.model import Candidate, Job
from plotrun.settings.settings import Settings
from plotrun.space import Disks
from plotrun.store import Store


class OpenFarm:
    """The destinations of a settings file, to look at."""

    def __init__(self, opened: Opened, store: Store) -> None:
        self.settings: Settings = opened.settings
        self._schema = opened.schema
        self._store = store
        self._timeout = opened.settings.general.disk_timeout
        self._inventories = Inventories(store, self._timeout)

    def look(self, places: Iterable[Place]) -> list[Inventory]:
        """Look at each destination, with or without directories below it, all at once.

        One that hangs is left alone after `disk_timeout`: its inventory says so.
        """
        return asyncio.run(self._inventories.look(places))

    def farm(self, job: Job) -> Farm:
        """What a hook would be given for the next plot of *job*; it removes nothing."""
        farms = Farms(
            self._store,
            SystemClock(),
            self._inventories,
            lambda: self.settings.log_dir,
            tell=lambda _: None,
            workers=self._store.alive_workers,
        )
        return Farm(farms, job.name, "", None, only_asking=True)

    def candidates(self, paths: Iterable[Path]) -> list[Candidate]:
        """Free space of directories; plots that are on their way are not known here."""
        disks = asyncio.run(Disks(self._timeout).ask(list(paths)))
        return [
            Candidate(disk.path, position, disk.free, trouble=disk.trouble)
            for position, disk in enumerate(disks)
        ]

    def plot_size(self, job: Job) -> int:
        """Bytes that the job's next plot is expected to have."""
        return sizes_of(self._schema.plotters[job.plotter], job, self._store).plot

    def last_deliveries(self, job: Job, count: int) -> list[float]:
        """When the job's latest plots were delivered, the last one first."""
        return self._store.jobs.last_deliveries(job.name, count)


@contextlib.contextmanager
def open_farm(given: str | None) -> Iterator[OpenFarm]:
    """Open the settings file *given* (None: the one that would be found) and the state.

    Raises:
        SettingsError: all that is wrong with the settings.
    """
    opened = open_settings(given)
    with contextlib.closing(Store(opened.settings.state_dir)) as store:
        yield OpenFarm(opened, store)

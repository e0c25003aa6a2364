"""Running settings for some days of simulated time."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from plotrun.analysis.plots import FinishedPlot
from plotrun.manager import Plugins
from plotrun.model import Job
from plotrun.plotter import Plotter
from plotrun.settings.schema import JobKeys
from plotrun.settings.settings import Settings
from plotrun.simulation.clock import SimulatedLoop
from plotrun.simulation.disks import ENDLESS, FileSystem, SimulatedDisks
from plotrun.simulation.findings import SAMPLES, DiskFindings, Findings, Watcher
from plotrun.simulation.machine import Machine
from plotrun.simulation.plotters import Figures
from plotrun.simulation.scratch import moved_path, moved_settings
from plotrun.simulation.sources import Sources
from plotrun.space import Disks
from plotrun.store import Store

DAY = 86400.0
STRETCH = 10.0
"""How many times as seldom the runner looks around: every five minutes."""
MEMORY = Path("/dev/shm")  # noqa: S108 - a directory in it is made, by tempfile
"""Where files cost nothing, on Linux, unless the user names another place (TMPDIR)."""


def simulate(
    settings: Settings,
    plugins: Plugins,
    days: float,
    begun: float,
    logs: Sequence[FinishedPlot] = (),
) -> Findings:
    """What *settings* would do for some *days*, from *begun*, seconds since the epoch.

    It begins without a plotter, with the disks as they are now and with the plots that have been
    made. Nothing of the user's is touched: all files are below a temporary directory.

    Raises:
        NothingKnown: nobody knows how long the plots of a job take.
        StoreError: this machine's state cannot be read.
    """
    where = MEMORY if MEMORY.is_dir() and "TMPDIR" not in os.environ else None
    with tempfile.TemporaryDirectory(prefix="plotrun-simulation-", dir=where) as directory:
        root = Path(directory)
        store = _store(settings, root / "state")
        try:
            sources = Sources(settings, plugins, store, logs)
            plotters = plugins.schema().plotters
            for job in settings.jobs:  # known before it takes any time
                if job.keys(JobKeys).enabled:
                    sources.figures(plotters[job.plotter], job)
            disks = asyncio.run(Disks(settings.general.disk_timeout).ask(settings.directories))
            systems = {disk.path: sources.file_system(disk) for disk in disks}
            quiet = logging.getLogger("plotrun")
            level = quiet.level
            quiet.setLevel(logging.CRITICAL)
            try:
                with asyncio.Runner(loop_factory=SimulatedLoop) as loop:
                    return loop.run(_run(settings, plugins, sources, systems, root, days, begun))
            finally:
                quiet.setLevel(level)
        finally:
            store.close()


def _store(settings: Settings, state: Path) -> Store:
    """A copy of this machine's state, without workers that live."""
    if (settings.state_dir / "plotrun.sqlite3").exists():
        real = Store(settings.state_dir)
        real.copy_to(state)
        real.close()
    store = Store(state, lasting=False)
    store.forget_living()
    return store


async def _run(
    settings: Settings,
    plugins: Plugins,
    sources: Sources,
    systems: dict[Path, FileSystem],
    root: Path,
    days: float,
    begun: float,
) -> Findings:
    own = moved_settings(settings, root)
    real_jobs = {job.name: job for job in settings.jobs}
    plugins_figures: dict[str, Figures] = {}

    def figures(plotter: Plotter, job: Job, _: int) -> Figures:
        if job.name not in plugins_figures:
            plugins_figures[job.name] = sources.figures(plotter, real_jobs[job.name])
        return plugins_figures[job.name]

    directories = {moved_path(path, root): system for path, system in systems.items()}
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
    machine = Machine(directories, figures, begun, stretch=STRETCH)
    runner = machine.runner(own, plugins, sources.store)
    watcher = Watcher(begun, str(root))
    runner.watchers[:] = [watcher.happened]
    runner.hold_watchers.append(lambda job, hold: watcher.held(job, hold, machine.clock.now()))
    samples = _Samples(machine.disks)
    loop = asyncio.get_running_loop()
    for number in range(SAMPLES + 1):
        loop.call_at(number * days * DAY / SAMPLES, samples.take)
    loop.call_at(days * DAY, runner.stop)
    await runner.run()
    end = begun + days * DAY
    watcher.end(end)
    return Findings(
        begun,
        days,
        tuple(watcher.job(job.name, end) for job in settings.jobs),
        tuple(watcher.spans),
        tuple(samples.of(system, systems, days) for system in machine.disks.systems),
        tuple(dict.fromkeys(sources.assumed)),
        dict(watcher.events),
    )


class _Samples:
    """Disks at moments that are equally far apart."""

    def __init__(self, disks: SimulatedDisks) -> None:
        self._disks = disks
        self._free: list[dict[FileSystem, int]] = []
        self._moved: list[dict[str, float]] = []

    def take(self) -> None:
        self._free.append({system: self._disks.free(system) for system in self._disks.systems})
        self._moved.append(dict(self._disks.sharing.up_to_now()))

    def of(self, system: FileSystem, systems: dict[Path, FileSystem], days: float) -> DiskFindings:
        moved = [row.get(system.name, 0.0) for row in self._moved]
        most = (system.bandwidth or 0.0) * days * DAY / SAMPLES
        return DiskFindings(
            tuple(path for path, found in systems.items() if found == system),
            system.total if system.total < ENDLESS else None,
            tuple(row[system] for row in self._free),
            tuple((after - before) / most for before, after in pairwise(moved)) if most else None,
        )

"""Where a simulation's figures come from: the settings, given logs, this machine's last plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from plotrun.analysis.plots import FinishedPlot
from plotrun.estimate import PLOTS_ASKED
from plotrun.learned_sizes import sizes_of
from plotrun.manager import Plugins
from plotrun.model import Job
from plotrun.plotter import Plotter
from plotrun.settings.settings import Settings
from plotrun.simulation.disks import ENDLESS, HARD_DISK, FileSystem
from plotrun.simulation.figures import DiskFigures, PlotFigures
from plotrun.simulation.plotters import Figures
from plotrun.space import Disk
from plotrun.store import Store
from plotrun.words import printable, size_words

TRAFFIC = 12
"""Times its temporary space that a plot writes and reads, where nothing else is said: about 2.8
TiB of a k=32 plot, as users of disk plotters measure."""


class NothingKnown(Exception):  # noqa: N818 - reads as what it says
    """Nobody has said or measured how long a plot takes; the message says what to do."""


@dataclass
class Sources:
    """Figures of plots and disks, and what had to be taken for granted."""

    settings: Settings
    plugins: Plugins
    store: Store
    """What this machine has measured, and how many plots its jobs have made."""
    logs: Sequence[FinishedPlot] = ()
    assumed: list[str] = field(default_factory=list)
    """In words, for the user."""

    def figures(self, plotter: Plotter, job: Job) -> Figures:
        """Of the next plot of *job*.

        Raises:
            NothingKnown: there is no figure of its durations.
        """
        told = self.plugins.first("plotrun_simulated_plot", job=job, settings=self.settings)
        if not isinstance(told, PlotFigures):
            told = PlotFigures()
        sizes = sizes_of(plotter, job, self.store)
        phases = told.phases or self._from_logs(plotter, job) or self._measured(plotter, job)
        wanted = max(1, len(plotter.phase_shares))
        if not phases:
            raise NothingKnown(
                f"job {job.name}: nobody knows how long its plots take: name logs of such plots "
                f'with --log, or write simulated_phases = ["3h", …] into the job'
            )
        if len(phases) != wanted:
            raise NothingKnown(
                f"job {job.name}: simulated_phases has {len(phases)} durations, and plots of "
                f"{plotter.name} have {wanted} phase{'' if wanted == 1 else 's'}"
            )
        if not sum(phases):
            raise NothingKnown(f"job {job.name}: simulated_phases has no phase that takes any time")
        traffic = told.traffic if told.traffic is not None else sizes.tmp * TRAFFIC
        return Figures(phases, sizes.plot, sizes.tmp, traffic)

    def _from_logs(self, plotter: Plotter, job: Job) -> tuple[float, ...]:
        """The median of each phase, in the logs that were given."""
        k = getattr(job.keys(plotter.keys), "k", None)
        plots = [p for p in self.logs if p.plotter == plotter.name and p.k in (k, None)]
        rows = [tuple(s for s in plot.phases if s is not None) for plot in plots]
        return _medians(plotter, rows, [plot.total for plot in plots])

    def _measured(self, plotter: Plotter, job: Job) -> tuple[float, ...]:
        """The same of the last plots that this machine has made."""
        k = getattr(job.keys(plotter.keys), "k", None)
        plots = self.store.measured.last(plotter.name, k, PLOTS_ASKED)
        totals = [plot.seconds for plot in plots if plot.seconds is not None]
        return _medians(plotter, [plot.phases for plot in plots], totals)

    def file_system(self, disk: Disk) -> FileSystem:
        """The file system of a directory, by the settings and what the disk itself said."""
        told = self.plugins.first("plotrun_simulated_disk", path=disk.path, settings=self.settings)
        if not isinstance(told, DiskFigures):
            told = DiskFigures()
        path = printable(disk.path)
        total = told.capacity if told.capacity is not None else disk.total
        free = disk.free if told.capacity is None else total
        free = told.free if told.free is not None else free
        if free is None or total is None:
            self.assumed.append(f"{path} is {disk.trouble}: taken to have room without end")
            free = total = ENDLESS
        own = disk.device is None or (told.capacity, told.free) != (None, None)
        name = str(disk.path) if own else f"device {disk.device}"
        is_dst = any(disk.path in job.dst for job in self.settings.jobs)
        if told.bandwidth is None and is_dst:
            rate = self._delivery_rate()
            words = "as measured here" if rate else "as hard disks do"
            rate = rate or HARD_DISK
            self.assumed.append(f"{path}: written to with {size_words(rate)} a second, {words}")
            return FileSystem(name, total, min(free, total), rate)
        return FileSystem(name, total, min(free, total), told.bandwidth)

    def _delivery_rate(self) -> float | None:
        """Bytes a second of the last deliveries, if there were any."""
        rates = [
            plot.bytes / plot.delivery_seconds
            for job in self.settings.jobs
            for plot in self.store.measured.last(job.plotter, _k(job), PLOTS_ASKED)
            if plot.delivery_seconds
        ]
        return median(rates) if rates else None


def _k(job: Job) -> int | None:
    return next((k for each in job.sections.values() if (k := getattr(each, "k", None))), None)


def _medians(
    plotter: Plotter, phases: Sequence[Sequence[float]], totals: Sequence[float]
) -> tuple[float, ...]:
    """Medians of the phases; where they are not known, the total by the plotter's usual shares."""
    shares = plotter.phase_shares
    known = [row for row in phases if len(row) == len(shares) > 0]
    if known:
        return tuple(median(row[number] for row in known) for number in range(len(shares)))
    if not totals:
        return ()
    return tuple(median(totals) * share for share in shares or (1.0,))

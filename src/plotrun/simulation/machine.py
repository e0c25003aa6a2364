"""A simulated machine, and the real runner on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plotrun.manager import Plugins
from plotrun.model import Job
from plotrun.plotter import Plotter
from plotrun.runner import Runner
from plotrun.settings.settings import Settings
from plotrun.simulation.clock import SimulatedClock
from plotrun.simulation.disks import FileSystem, SimulatedDisks
from plotrun.simulation.plotters import Figures, simulated
from plotrun.simulation.processes import ByHand, SimulatedExecutor
from plotrun.store import Store

DECISIONS = frozenset(
    {
        "plotrun_plotters",
        "plotrun_settings",
        "plotrun_choose_plotter",
        "plotrun_hold",
        "plotrun_filter_tmp",
        "plotrun_choose_tmp",
        "plotrun_filter_dst",
        "plotrun_choose_dst",
        "plotrun_simulated_plot",
        "plotrun_simulated_disk",
    }
)
"""Hooks that a simulation asks. The others act on the world: they run commands, send messages,
look into plots, remove files."""


@dataclass
class Machine:
    """Disks, processes and a clock that exist only in a `SimulatedLoop`; made inside of it."""

    directories: Mapping[Path, FileSystem]
    figures: Callable[[Plotter, Job, int], Figures]
    """Of the plots of each process, which has a number from 1."""
    epoch: float
    """When the simulation begins, seconds since the epoch."""
    by_hand: Sequence[ByHand] = ()
    stretch: float = 1.0
    """How many times as seldom as by the system's clock the runner looks around."""
    clock: SimulatedClock = field(init=False)
    disks: SimulatedDisks = field(init=False)
    executor: SimulatedExecutor = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SimulatedClock(self.epoch, self.stretch)
        self.disks = SimulatedDisks(self.directories, self.clock)
        self.executor = SimulatedExecutor(self.disks, self.clock, self.figures, self.by_hand)
        self.executor.tell_of_those_by_hand()

    def runner(self, settings: Settings, plugins: Plugins, store: Store) -> Runner:
        """A runner of *settings* on this machine."""
        plugins.asked = DECISIONS
        schema = plugins.schema()
        schema.plotters = {
            name: simulated(plotter, self.executor.begin)
            for name, plotter in schema.plotters.items()
        }
        return Runner(settings, plugins, store, self.executor, self.clock, self.disks, schema)

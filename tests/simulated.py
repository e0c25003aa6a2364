"""A runner under simulated time: the real core and plugins, with plotters that only take time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from farm import Farm
from plotrun.manager import load_plugins
from plotrun.model import Event, EventKind, Job
from plotrun.plotter import Plotter
from plotrun.settings.load import load_settings
from plotrun.simulation.clock import SimulatedLoop
from plotrun.simulation.disks import ENDLESS, FileSystem
from plotrun.simulation.machine import Machine
from plotrun.simulation.plotters import Figures
from plotrun.simulation.processes import ByHand
from plotrun.store import Store

EPOCH = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def simulate(
    farm: Farm,
    days: float,
    plotter_takes: float,
    exit_code: Callable[[int], int] = lambda number: 0,
    kind: EventKind = EventKind.PLOTTER_STARTED,
) -> list[float]:
    """Run the settings of *farm* for some days; answers when events of *kind* came, in seconds."""
    events = simulate_events(farm, days, plotter_takes, exit_code)
    return [event.at - EPOCH for event in events if event.kind is kind]


def simulate_events(
    farm: Farm,
    days: float,
    plotter_takes: float | Callable[[int], float],
    exit_code: Callable[[int], int] = lambda number: 0,
    by_hand: Sequence[ByHand] = (),
    epoch: float = EPOCH,
    restarts: Sequence[float] = (),
    room: Mapping[str, int] | None = None,
    changes: Sequence[tuple[float, Callable[[], object]]] = (),
) -> list[Event]:
    """Run the settings of *farm* for some days; answers all events.

    At *restarts*, seconds from the beginning, plotrun is stopped and started again. *room* has
    the bytes of directories of the farm that are small disks of their own; *changes* are made to
    the settings at their times.
    """
    events: list[Event] = []
    takes = plotter_takes if callable(plotter_takes) else lambda _: plotter_takes

    def figures(plotter: Plotter, job: Job, number: int) -> Figures:
        shares = plotter.phase_shares or (1.0,)
        phases = tuple(takes(number) * share for share in shares)
        sizes = plotter.sizes(job)
        return Figures(phases, sizes.plot, sizes.tmp, exit_code=exit_code(number))

    async def run() -> None:
        disk = FileSystem("disk", ENDLESS, ENDLESS)
        small = {farm.root / n: FileSystem(n, size, size) for n, size in (room or {}).items()}
        machine = Machine({farm.root: disk} | small, figures, epoch, by_hand)
        loop = asyncio.get_running_loop()
        for at, change in changes:
            loop.call_at(at, change)
            loop.call_at(at, machine.clock.changed)
        for stop in (*sorted(restarts), days * DAY):
            plugins = load_plugins()
            settings = load_settings(farm.settings, plugins.schema())
            store = Store(farm.state_dir, lasting=False)
            runner = machine.runner(settings, plugins, store)
            runner.watchers.append(events.append)
            loop.call_at(stop, runner.stop)
            await runner.run()
            store.close()

    with asyncio.Runner(loop_factory=SimulatedLoop) as loop:
        loop.run(run())
    return events

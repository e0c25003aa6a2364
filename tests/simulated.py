"""A runner under simulated time: the real core and plugins, with plotters that only take time."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable
from pathlib import Path
from unittest import mock

from farm import Farm
from plotrun import follow
from plotrun import runner as runner_module
from plotrun.clock import LoopClock, SimulatedLoop
from plotrun.manager import load_plugins
from plotrun.model import Event, EventKind, ProcessRef
from plotrun.process import ProcessInfo, Spawn
from plotrun.runner import Runner
from plotrun.settings.load import load_settings
from plotrun.standstill import Usage
from plotrun.store import Store

EPOCH = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


class SimulatedProcess:
    """Takes *seconds*, then leaves a plot and its log lines, or fails."""

    def __init__(self, number: int, spawn: Spawn, seconds: float, code: int) -> None:
        self.ref = ProcessRef(number, "simulated")
        self._spawn, self._seconds, self._code = spawn, seconds, code

    async def wait(self) -> int:
        await asyncio.sleep(self._seconds)
        if self._code == 0:
            final = Path(self._spawn.argv[self._spawn.argv.index("-d") + 1])
            plot_id = secrets.token_bytes(32)
            header = b"Proof of Space Plot" + plot_id + bytes([32])
            header += (5).to_bytes(2, "big") + b"test1" + (128).to_bytes(2, "big") + bytes(128)
            (final / f"plot-k32-{plot_id.hex()}.plot").write_bytes(header)
            self._spawn.log.parent.mkdir(exist_ok=True)
            self._spawn.log.write_text("Renamed final file from x to y\n")
        return self._code


class SimulatedExecutor:
    """Processes that exist only in simulated time."""

    def __init__(self, seconds: float, code: Callable[[int], int]) -> None:
        self._seconds, self._code = seconds, code
        self._numbers = itertools.count(1)

    async def spawn(self, spawn: Spawn) -> SimulatedProcess:
        number = next(self._numbers)
        return SimulatedProcess(number, spawn, self._seconds, self._code(number))

    def attach(self, ref: ProcessRef) -> None:
        return None

    def find(self, worker: str, step: str) -> None:
        return None

    def table(self) -> list[ProcessInfo]:
        return []

    def send(self, worker: str, step: str, name: str, is_plotter: object) -> None:
        raise AssertionError("nothing is asked in these tests")

    def usage(self, ref: ProcessRef) -> Usage:
        return Usage(cpu_seconds=asyncio.get_running_loop().time(), stopped=False)

    async def end(self, ref: ProcessRef) -> None:
        raise AssertionError("nothing is ended in these tests")


def simulate(
    farm: Farm,
    days: float,
    plotter_takes: float,
    exit_code: Callable[[int], int] = lambda number: 0,
    kind: EventKind = EventKind.PLOTTER_STARTED,
) -> list[float]:
    """Run the settings of *farm* for some days; answers when events of *kind* came, in seconds."""
    times: list[float] = []

    async def run() -> None:
        plugins = load_plugins()
        settings = load_settings(farm.settings, plugins.schema())
        store = Store(farm.state_dir)
        executor = SimulatedExecutor(plotter_takes, exit_code)
        runner = Runner(settings, plugins, store, executor, LoopClock(EPOCH))

        def watch(event: Event) -> None:
            if event.kind is kind:
                times.append(event.at - EPOCH)

        runner.watchers.append(watch)
        asyncio.get_running_loop().call_later(days * DAY, runner.stop)
        await runner.run()
        store.close()

    # A look every second would be most of the work of a simulated week.
    seldom = (
        mock.patch.object(runner_module, "TICK", MINUTE),
        mock.patch.object(follow, "INTERVAL", MINUTE),
    )
    with seldom[0], seldom[1], asyncio.Runner(loop_factory=SimulatedLoop) as loop:
        loop.run(run())
    return times

"""A runner under simulated time: the real core and plugins, with plotters that only take time."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from farm import Farm
from plotrun import CHIAPOS_PHASE_SHARES, follow
from plotrun import runner as runner_module
from plotrun.clock import LoopClock, SimulatedLoop
from plotrun.manager import load_plugins
from plotrun.model import Event, EventKind, ProcessRef
from plotrun.process import ProcessInfo, Spawn
from plotrun.runner import Runner
from plotrun.settings.load import load_settings
from plotrun.space import Disk, Disks
from plotrun.standstill import Usage
from plotrun.store import Store

EPOCH = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def log_lines() -> Iterator[tuple[float, str]]:
    """What a plotter of chia says of phases and steps, and at which part of its time."""
    steps = (
        [f"Computing table {n}" for n in range(1, 8)],
        [f"Backpropagating on table {n}" for n in range(7, 1, -1)],
        [f"Compressing tables {n} and {n + 1}" for n in range(1, 7)],
        ["\tStarting to write C1 and C3 tables", "\tWriting C2 table"],
    )
    yield 0.0, "Starting plotting progress into temporary dirs: /x and /x"
    before = 0.0
    for phase, (share, said) in enumerate(zip(CHIAPOS_PHASE_SHARES, steps, strict=True), 1):
        yield before, f"Starting phase {phase}/4: x"
        for number, line in enumerate(said):
            yield before + share * number / len(said), line
        before += share


class RoomyDisks(Disks):
    """The directories of this machine, and room for any number of plots in them."""

    async def ask(self, paths: Sequence[Path]) -> list[Disk]:
        asked = await super().ask(paths)
        return [replace(disk, free=2**60) if disk.free else disk for disk in asked]

    async def memory(self) -> int:
        return 2**60


class SimulatedProcess:
    """Takes *seconds*, telling its phases; then leaves a plot, or fails without a word."""

    def __init__(self, number: int, spawn: Spawn, seconds: float, code: int) -> None:
        self.ref = ProcessRef(number, "simulated")
        self.worker = spawn.worker
        self._spawn, self._seconds, self._code = spawn, seconds, code
        self._task = asyncio.get_running_loop().create_task(self._plot())

    @property
    def alive(self) -> bool:
        return not self._task.done()

    async def wait(self) -> int:
        return await asyncio.shield(self._task)  # it goes on when nobody waits any more

    async def _plot(self) -> int:
        if self._code:
            await asyncio.sleep(self._seconds)
            return self._code
        begun = asyncio.get_running_loop().time()
        self._spawn.log.parent.mkdir(exist_ok=True)
        for part, line in log_lines():
            await self._until(begun + part * self._seconds)
            self._say(line)
        await self._until(begun + self._seconds)
        final = Path(self._spawn.argv[self._spawn.argv.index("-d") + 1])
        plot_id = secrets.token_bytes(32)
        header = b"Proof of Space Plot" + plot_id + bytes([32])
        header += (5).to_bytes(2, "big") + b"test1" + (128).to_bytes(2, "big") + bytes(128)
        (final / f"plot-k32-{plot_id.hex()}.plot").write_bytes(header)
        self._say("Renamed final file from x to y")
        return 0

    async def _until(self, time: float) -> None:
        left = time - asyncio.get_running_loop().time()
        if left > 0:
            await asyncio.sleep(left)

    def _say(self, line: str) -> None:
        with self._spawn.log.open("a") as log:
            log.write(f"{line}\n")


@dataclass(frozen=True)
class ByHand:
    """A plotter that plotrun did not start, from and until a time of the simulation."""

    begins: float
    ends: float
    argv: tuple[str, ...]


class SimulatedExecutor:
    """Processes that exist only in simulated time."""

    def __init__(
        self,
        seconds: float | Callable[[int], float],
        code: Callable[[int], int],
        by_hand: Sequence[ByHand] = (),
        epoch: float = EPOCH,
    ) -> None:
        self._seconds = seconds if callable(seconds) else lambda number: seconds
        self._code, self._by_hand, self._epoch = code, by_hand, epoch
        self._numbers = itertools.count(1)
        self._processes: list[SimulatedProcess] = []

    async def spawn(self, spawn: Spawn) -> SimulatedProcess:
        number = next(self._numbers)
        process = SimulatedProcess(number, spawn, self._seconds(number), self._code(number))
        self._processes.append(process)
        return process

    def attach(self, ref: ProcessRef) -> SimulatedProcess | None:
        return next((p for p in self._processes if p.ref == ref and p.alive), None)

    def find(self, worker: str, step: str) -> SimulatedProcess | None:
        return next((p for p in self._processes if p.worker == worker and p.alive), None)

    def table(self) -> list[ProcessInfo]:
        now = asyncio.get_running_loop().time()
        return [
            ProcessInfo(ProcessRef(100_000 + n, "by hand"), each.argv, self._epoch + each.begins)
            for n, each in enumerate(self._by_hand)
            if each.begins <= now < each.ends
        ]

    def send(self, worker: str, step: str, name: str, is_plotter: object) -> None:
        raise AssertionError("nothing is asked in these tests")

    def usage(self, ref: ProcessRef, children: object) -> Usage:
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
) -> list[Event]:
    """Run the settings of *farm* for some days; answers all events.

    At *restarts*, seconds from the beginning, plotrun is stopped and started again.
    """
    events: list[Event] = []

    async def run() -> None:
        executor = SimulatedExecutor(plotter_takes, exit_code, by_hand, epoch)
        loop = asyncio.get_running_loop()
        for stop in (*sorted(restarts), days * DAY):
            plugins = load_plugins()
            settings = load_settings(farm.settings, plugins.schema())
            store = Store(farm.state_dir)
            runner = Runner(settings, plugins, store, executor, LoopClock(epoch), RoomyDisks())
            runner.watchers.append(events.append)
            loop.call_at(stop, runner.stop)
            await runner.run()
            store.close()

    # A look every second would be most of the work of a simulated week.
    with contextlib.ExitStack() as seldom:
        seldom.enter_context(mock.patch.object(runner_module, "TICK", MINUTE))
        seldom.enter_context(mock.patch.object(follow, "INTERVAL", MINUTE))
        loop = seldom.enter_context(asyncio.Runner(loop_factory=SimulatedLoop))
        loop.run(run())
    return events

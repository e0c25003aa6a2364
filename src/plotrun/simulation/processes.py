"""Simulated processes: plotters that only take time and room on simulated disks."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotrun.model import Job, ProcessRef
from plotrun.plotter import Plotter, Run
from plotrun.process import Spawn
from plotrun.process_table import ProcessInfo
from plotrun.simulation.clock import SimulatedClock
from plotrun.simulation.disks import SimulatedDisks
from plotrun.simulation.plotters import Figures, steps_of
from plotrun.standstill import Usage

TRIES_AGAIN = 300.0
"""Seconds between a plotter's attempts to copy to a full disk: chia's."""
END_SIGNAL = -15


@dataclass(frozen=True)
class ByHand:
    """A plotter that plotrun did not start, from and until a second of the simulation."""

    begins: float
    ends: float
    argv: tuple[str, ...]


class SimulatedProcess:
    """One plotter: says where it is, fills its disks, leaves plots."""

    def __init__(
        self,
        ref: ProcessRef,
        spawn: Spawn,
        plotter: Plotter,
        run: Run,
        figures: Figures,
        disks: SimulatedDisks,
        clock: SimulatedClock,
        ids: random.Random,
    ) -> None:
        self._ref = ref
        self.worker = spawn.worker
        self.finish = False
        """Whether it is to end after the plot under way."""
        self._log = spawn.log
        self._plotter, self._run, self._figures = plotter, run, figures
        self._disks, self._clock, self._ids = disks, clock, ids
        self._task = asyncio.get_running_loop().create_task(self._work())

    @property
    def ref(self) -> ProcessRef:
        """What identifies it."""
        return self._ref

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return not self._task.done()

    def kill(self) -> None:
        """End it now."""
        self._task.cancel()

    async def wait(self) -> int | None:
        """Wait for its end; it goes on when nobody waits any more."""
        await asyncio.wait((self._task,))
        return END_SIGNAL if self._task.cancelled() else self._task.result()

    async def _work(self) -> int:
        try:
            for number in itertools.count(1):
                code = await self._plot()
                if code or self.finish or number == self._run.plots:
                    return code
            raise AssertionError
        finally:
            for directory in self._tmp_dirs:
                self._disks.take(directory, 0)

    @property
    def _tmp_dirs(self) -> Sequence[Path]:
        return [d for d in (self._run.tmp_dir, self._run.tmp2_dir) if d is not None]

    async def _plot(self) -> int:
        figures, dirs = self._figures, self._tmp_dirs
        plot_id, k = self._ids.randbytes(32), self._k
        whole = sum(figures.phases)
        rate = figures.traffic / whole / len(dirs) if whole else 0.0
        demands = {self._disks.system(directory).name: 0.0 for directory in dirs}
        for directory in dirs:
            demands[self._disks.system(directory).name] += rate
        self._say(f"plot {plot_id.hex()}")
        try:
            grown = 0.0
            for step in steps_of(self._plotter, figures):
                if step.phase and step.number == 1:
                    self._say(f"phase {step.phase}")
                self._say(f"step {step.number} {step.fraction:.4f}")
                if step.phase <= 1:  # temporary files grow to their full size in phase 1
                    grown = min(1.0, grown + step.seconds / (figures.phases[0] or 1.0))
                    for directory in dirs:
                        self._disks.take(directory, int(figures.tmp * grown / len(dirs)))
                began = asyncio.get_running_loop().time()
                await self._disks.sharing.work(step.seconds, demands)
                self._note_time(step.phase, began, step.last)
            if figures.exit_code:
                return figures.exit_code
            await self._finish(plot_id, k)
        except OSError as error:
            self._say(f"error: {error.strerror}")
            return 1
        return 0

    _phase_seconds = 0.0
    _plot_seconds = 0.0

    def _note_time(self, phase: int, began: float, last: bool) -> None:
        self._phase_seconds += asyncio.get_running_loop().time() - began
        if last:
            self._say(f"phase {phase} took {self._phase_seconds!r}")
            self._plot_seconds += self._phase_seconds
            self._phase_seconds = 0.0

    async def _finish(self, plot_id: bytes, k: int) -> None:
        """The finished file: where it grew, then in the final directory.

        Raises:
            OSError: there is no room where it grows.
        """
        self._say(f"took {self._plot_seconds + self._phase_seconds!r}")
        self._plot_seconds = self._phase_seconds = 0.0
        for directory in self._tmp_dirs:
            self._disks.take(directory, 0)
        in_tmp2 = self._plotter.finishes_in_tmp2 and self._run.tmp2_dir is not None
        place = self._run.tmp2_dir if in_tmp2 and self._run.tmp2_dir else self._run.tmp_dir
        name = f"plot-k{k}-{plot_id.hex()}.plot"
        file = place / (name.removesuffix(".plot") + (self._plotter.whole_suffix or ".plot"))
        self._disks.take(file, self._figures.plot)
        write_plot(file, plot_id, k, self._figures.plot)
        while file.exists():  # plotrun may have taken it elsewhere
            final = max(self._finals, key=lambda d: self._disks.free(self._disks.system(d)))
            try:
                await self._disks.copy(file, final / name, self._figures.plot)
                file.rename(final / name)
            except OSError as error:
                self._say(f"copy failed: {error.strerror}")
                await asyncio.sleep(TRIES_AGAIN)
        self._say(f"complete {plot_id.hex()}")

    @property
    def _finals(self) -> Sequence[Path]:
        return (self._run.final_dir, *self._run.more_final_dirs)

    @property
    def _k(self) -> int:
        keys: Any = self._run.job.keys(self._plotter.keys)
        return int(getattr(keys, "k", None) or 32)

    def _say(self, line: str) -> None:
        with self._log.open("a") as log:
            log.write(f"{line}\n")
        self._clock.changed()


def write_plot(path: Path, plot_id: bytes, k: int, size: int) -> None:
    """A file with the header of an OG plot, as large as a plot would be and empty otherwise."""
    header = b"Proof of Space Plot" + plot_id + bytes([k])
    header += (4).to_bytes(2, "big") + b"v1.0" + (128).to_bytes(2, "big") + bytes(128)
    path.write_bytes(header)
    os.truncate(path, max(size, len(header)))


class SimulatedExecutor:
    """Processes that exist only in simulated time."""

    def __init__(
        self,
        disks: SimulatedDisks,
        clock: SimulatedClock,
        figures: Callable[[Plotter, Job, int], Figures],
        by_hand: Sequence[ByHand] = (),
    ) -> None:
        """*figures* are asked for each process, by its number from 1."""
        self._disks, self._clock, self._figures, self._by_hand = disks, clock, figures, by_hand
        self._runs: dict[str, tuple[Plotter, Run]] = {}
        self._numbers = itertools.count(1)
        self._processes: dict[ProcessRef, SimulatedProcess] = {}
        self._ids = random.Random(0)

    def begin(self, plotter: Plotter, run: Run) -> str:
        """Note what a process that is about to be started is to do; answers its argument."""
        name = str(len(self._runs))
        self._runs[name] = plotter, run
        return name

    def tell_of_those_by_hand(self) -> None:
        """Let the runner look when a plotter by hand begins or ends."""
        loop = asyncio.get_running_loop()
        for each in self._by_hand:
            for moment in (each.begins, each.ends):
                loop.call_at(moment, self._clock.changed)

    async def spawn(self, spawn: Spawn) -> SimulatedProcess:
        """Begin a plotter."""
        number = next(self._numbers)
        plotter, run = self._runs[spawn.argv[-1]]
        spawn.log.parent.mkdir(parents=True, exist_ok=True)
        figures = self._figures(plotter, run.job, number)
        ref = ProcessRef(number, "simulated")
        process = SimulatedProcess(
            ref, spawn, plotter, run, figures, self._disks, self._clock, self._ids
        )
        self._processes[ref] = process
        return process

    def attach(self, ref: ProcessRef) -> SimulatedProcess | None:
        """A process started earlier, if it still runs."""
        process = self._processes.get(ref)
        return process if process is not None and process.alive else None

    def find(self, worker: str, step: str) -> SimulatedProcess | None:  # noqa: ARG002 - plotters only
        """The running process of a worker."""
        return next((p for p in self._processes.values() if p.worker == worker and p.alive), None)

    def table(self) -> list[ProcessInfo]:
        """Plotters that plotrun did not start."""
        now, at = asyncio.get_running_loop().time(), self._clock.now()
        return [
            ProcessInfo(ProcessRef(1_000_000 + n, "by hand"), each.argv, at - now + each.begins)
            for n, each in enumerate(self._by_hand)
            if each.begins <= now < each.ends
        ]

    def send(self, worker: str, step: str, name: str, is_plotter: object) -> None:  # noqa: ARG002
        """Let a plotter end after the plot under way, whichever signal it takes for that."""
        process = self.find(worker, step)
        if process is not None:
            process.finish = True

    async def end(self, ref: ProcessRef) -> None:
        """End a process now."""
        process = self.attach(ref)
        if process is not None:
            process.kill()

    def usage(self, ref: ProcessRef, children: Mapping[int, Sequence[int]]) -> Usage:  # noqa: ARG002
        """Simulated plotters never stand still."""
        return Usage(cpu_seconds=asyncio.get_running_loop().time(), stopped=False)

"""Processes: started, waited for, found again, ended. Beside `process_table` the only file that
touches them.

A process is started in a session of its own, so that neither Ctrl-C nor the end of plotrun
reaches it. It carries `WORKER_VARIABLE` in its environment: by that a worker's process is found
again even if plotrun died between starting it and writing down its number.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from plotrun.model import ProcessRef
from plotrun.process_table import (
    STEP_VARIABLE,
    WORKER_VARIABLE,
    ProcessInfo,
    find_marked,
    identify,
    is_alive,
    plotter_processes,
    process_table,
    usage,
)
from plotrun.process_tree import end_tree
from plotrun.standstill import Usage
from plotrun.threads import in_daemon_thread

WINDOWS = sys.platform == "win32"


@dataclass(frozen=True)
class Spawn:
    """A process to be started."""

    argv: Sequence[str]
    log: Path
    """Its output goes here; an existing file is added to."""
    worker: str
    step: str
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to plotrun's own."""
    nice: int | None = None
    io_priority: str | None = None
    cpu_affinity: Sequence[int] | None = None


class Process(Protocol):
    """A process that was started or found again."""

    @property
    def ref(self) -> ProcessRef:
        """What identifies it."""
        ...

    async def wait(self) -> int | None:
        """Wait for its end: the exit code (negative: the signal), None where it is not known."""
        ...


class Executor(Protocol):
    """Starting and finding processes: the real one, or a simulated one in tests."""

    async def spawn(self, spawn: Spawn) -> Process:
        """Start a process.

        Raises:
            OSError: it cannot be started.
        """
        ...

    def attach(self, ref: ProcessRef) -> Process | None:
        """A process started earlier, if it still runs."""
        ...

    def find(self, worker: str, step: str) -> Process | None:
        """The running process of a worker's step, if there is one."""
        ...

    def table(self) -> list[ProcessInfo]:
        """All processes of this machine that may be looked at."""
        ...

    async def end(self, ref: ProcessRef) -> None:
        """End a process and all of its children, politely first."""
        ...

    def send(
        self, worker: str, step: str, name: str, is_plotter: Callable[[Sequence[str]], bool]
    ) -> None:
        """Send the signal called *name* to the plotter itself, not to a shell around it."""
        ...

    def usage(self, ref: ProcessRef, children: Mapping[int, Sequence[int]]) -> Usage | None:
        """What a process and all below it, by *children*, have used; None if it has gone."""
        ...


class SystemProcess:
    """A process of this machine."""

    def __init__(self, ref: ProcessRef, popen: subprocess.Popen[bytes] | None = None) -> None:
        self._ref = ref
        self._popen = popen

    @property
    def ref(self) -> ProcessRef:
        """What identifies it."""
        return self._ref

    async def wait(self) -> int | None:
        """Wait for its end; the exit code is known only of plotrun's own children."""
        if hasattr(os, "pidfd_open"):
            await self._wait_pidfd()
        else:  # macOS and Windows; not run where this was written
            await in_daemon_thread(self._wait_blocking, f"wait for {self._ref.pid}")
        return self._popen.wait() if self._popen else None

    async def _wait_pidfd(self) -> None:
        try:
            descriptor = os.pidfd_open(self._ref.pid)
        except ProcessLookupError:
            return
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def readable() -> None:
            if not ended.done():
                ended.set_result(None)

        loop.add_reader(descriptor, readable)
        try:
            # Between the number and the descriptor another process may have taken the number.
            if self._popen is not None or identify(self._ref.pid) == self._ref:
                await ended
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def _wait_blocking(self) -> None:
        if self._popen is not None:
            self._popen.wait()
        else:
            with contextlib.suppress(psutil.NoSuchProcess):
                if identify(self._ref.pid) == self._ref:
                    psutil.Process(self._ref.pid).wait()


class SystemExecutor:
    """Processes of this machine."""

    async def spawn(self, spawn: Spawn) -> Process:
        """Start a process in a session of its own, with its output in its log."""
        return await asyncio.to_thread(self._spawn, spawn)

    def _spawn(self, spawn: Spawn) -> Process:
        environment = {
            **os.environ,
            **spawn.environment,
            WORKER_VARIABLE: spawn.worker,
            STEP_VARIABLE: spawn.step,
        }
        spawn.log.parent.mkdir(parents=True, exist_ok=True)
        with spawn.log.open("ab") as log:
            if WINDOWS:  # not run where this was written
                flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(
                    subprocess, "CREATE_NO_WINDOW", 0
                )
                popen = subprocess.Popen(
                    spawn.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    creationflags=flags,
                )
            else:
                popen = subprocess.Popen(
                    spawn.argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    start_new_session=True,
                    cwd="/",  # a plotter must not keep a disk busy by standing in it
                )
        _set_priorities(popen.pid, spawn)
        # Not reaped before wait(): the number still belongs to it, even if it has ended.
        return SystemProcess(identify(popen.pid) or ProcessRef(popen.pid, "ended"), popen)

    def attach(self, ref: ProcessRef) -> Process | None:
        """A process started earlier, if it still runs."""
        return SystemProcess(ref) if is_alive(ref) else None

    def find(self, worker: str, step: str) -> Process | None:
        """The running process of a worker's step: the topmost that carries its mark."""
        ref = find_marked(worker, step)
        return SystemProcess(ref) if ref else None

    def table(self) -> list[ProcessInfo]:
        """All processes of this machine that may be looked at."""
        return process_table()

    async def end(self, ref: ProcessRef) -> None:
        """End a process and all of its children, politely first."""
        await asyncio.to_thread(end_tree, ref)

    def send(
        self, worker: str, step: str, name: str, is_plotter: Callable[[Sequence[str]], bool]
    ) -> None:
        """Send the signal called *name* to the plotter itself, not to a shell around it.

        Where none of the step's processes is recognised, it goes to those without children.
        """
        for pid in plotter_processes(worker, step, is_plotter):
            with contextlib.suppress(psutil.Error):
                psutil.Process(pid).send_signal(getattr(signal, name))

    def usage(self, ref: ProcessRef, children: Mapping[int, Sequence[int]]) -> Usage | None:
        """What a process and all below it, by *children*, have used; None if it has gone."""
        return usage(ref, children)


def exit_words(code: int | None) -> str:
    """How a process ended, for people."""
    if code is None:
        return "ended"
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"was killed ({signal.Signals(-code).name})"
    return f"exited with code {code}"


_IO_CLASSES = {"idle": (3, None), "low": (2, 7), "normal": (2, 4), "high": (2, 0)}
"""ionice's classes: 3 is idle, 2 is best effort with levels 0 (first) to 7."""


def _set_priorities(pid: int, spawn: Spawn) -> None:
    """Set what the job asks for; children that it starts later inherit it."""
    if spawn.nice is None and spawn.io_priority is None and spawn.cpu_affinity is None:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        top, done = psutil.Process(pid), set[int]()
        # Each is set before its children are listed: one that was started too early to inherit
        # the priorities is in the list then.
        waiting = [top]
        while waiting:
            process = waiting.pop()
            if process.pid not in done:
                done.add(process.pid)
                _set_priority(process, spawn)
                waiting += top.children(recursive=True)


def _set_priority(process: psutil.Process, spawn: Spawn) -> None:
    refused = psutil.AccessDenied, psutil.NoSuchProcess
    with contextlib.suppress(*refused):
        if spawn.nice is not None:
            process.nice(_windows_class(spawn.nice) if WINDOWS else spawn.nice)
    with contextlib.suppress(*refused):
        if spawn.io_priority is not None and sys.platform == "linux":
            process.ionice(*_IO_CLASSES[spawn.io_priority])
    with contextlib.suppress(*refused):
        if spawn.cpu_affinity is not None and sys.platform != "darwin":
            process.cpu_affinity(list(spawn.cpu_affinity))


def _windows_class(nice: int) -> int:
    """Windows' priority class nearest to a nice value; not run where this was written."""
    names = ("HIGH", "ABOVE_NORMAL", "NORMAL", "BELOW_NORMAL", "IDLE")
    rank = sum(nice >= bound for bound in (-10, 0, 1, 10))
    return int(getattr(psutil, f"{names[rank]}_PRIORITY_CLASS"))

"""The operating system's table of processes: who runs, and whether it is still the same one.

Apart from `plotrun.process`, since commands that only look need no event loop.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from plotrun.model import ProcessRef
from plotrun.standstill import Usage

WORKER_VARIABLE = "PLOTRUN_WORKER"
STEP_VARIABLE = "PLOTRUN_STEP"
"""Environment variables that mark the processes of a worker."""
PLOTTER_STEP = "plotter"
"""The step of a worker that is its plotter."""


@dataclass(frozen=True)
class ProcessInfo:
    """A process in the table of the operating system."""

    ref: ProcessRef
    argv: tuple[str, ...]
    started_at: float
    parent: int | None = None
    worker: str | None = None
    """The worker that some plotrun started it for."""
    directory: Path | None = None
    """The one that it is in, if that can be known."""


def identify(pid: int) -> ProcessRef | None:
    """The process that has this number now, told apart from any later one.

    On Linux by its start in clock ticks since the boot, and the boot's own id: unlike a time of
    day these do not change when the clock is set.
    """
    if sys.platform == "linux":
        fields = _linux_fields(pid)
        return None if fields is None else _linux_ref(pid, fields)
    try:  # not run where this was written
        return ProcessRef(pid, f"{psutil.Process(pid).create_time():.2f}")
    except psutil.Error:
        return None


class ProcessState(StrEnum):
    """What a process is doing."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    ENDED = "ended"


def process_state(ref: ProcessRef) -> ProcessState:
    """What the very process is doing (one that has ended but is not reaped has ended)."""
    if sys.platform == "linux":
        fields = _linux_fields(ref.pid)
        if fields is None or _linux_ref(ref.pid, fields) != ref:
            return ProcessState.ENDED
        letter = fields[0]
        if letter in b"ZXx":
            return ProcessState.ENDED
        return ProcessState.SUSPENDED if letter == b"T" else ProcessState.RUNNING
    try:  # not run where this was written
        if identify(ref.pid) != ref:
            return ProcessState.ENDED
        status = psutil.Process(ref.pid).status()
    except psutil.Error:
        return ProcessState.ENDED
    if status == psutil.STATUS_ZOMBIE:
        return ProcessState.ENDED
    return ProcessState.SUSPENDED if status == psutil.STATUS_STOPPED else ProcessState.RUNNING


def _linux_fields(pid: int) -> list[bytes] | None:
    """The fields of /proc/PID/stat from the third one, the state, on."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - by the hundred
            stat = file.read(1024)
    except OSError:
        return None
    # The second field is the name, in parentheses, and may hold anything.
    return stat.rpartition(b")")[2].split() or None


def _linux_ref(pid: int, fields: Sequence[bytes]) -> ProcessRef:
    return ProcessRef(pid, f"{_boot_id()}:{fields[19].decode()}")


def is_alive(ref: ProcessRef) -> bool:
    """Whether the very process still runs, suspended or not."""
    return process_state(ref) is not ProcessState.ENDED


def parents_of(pid: int) -> list[int]:
    """The processes above one, the nearest first; those that may not be looked at end the row."""
    with contextlib.suppress(psutil.Error):
        return [process.pid for process in psutil.Process(pid).parents()]
    return []


def _mark(process: psutil.Process, name: str) -> str | None:
    """A variable of a process's environment; other users' processes do not show theirs."""
    try:
        return process.environ().get(name)
    except (psutil.Error, OSError):
        return None


def _directory(process: psutil.Process) -> Path | None:
    try:
        return Path(process.cwd())
    except (psutil.Error, OSError):  # of another user, or removed
        return None


def process_table() -> list[ProcessInfo]:
    """All processes of this machine that may be looked at."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            argv = process.cmdline()
            ref = identify(process.pid)
            if argv and ref is not None:
                started, parent = process.create_time(), process.ppid()
                mark = _mark(process, WORKER_VARIABLE)
                place = _directory(process)
                found.append(ProcessInfo(ref, tuple(argv), started, parent, mark, place))
    return found


def open_files(pids: Iterable[int] | None = None) -> dict[tuple[int, int], int]:
    """Files that processes have open, as device and inode, each with one of the processes.

    Without *pids*, those of all processes that may be looked at: other users' may not, unless
    one is root.
    """
    found = {}
    for pid in psutil.pids() if pids is None else pids:
        for place in _open_places(pid):
            with contextlib.suppress(OSError):
                status = os.stat(place)  # noqa: PTH116 - by the thousand
                if stat.S_ISREG(status.st_mode):
                    found[status.st_dev, status.st_ino] = pid
    return found


def _open_places(pid: int) -> list[str]:
    if sys.platform == "linux":  # the names may be gone, or be those of another root directory
        with contextlib.suppress(OSError):
            return [entry.path for entry in os.scandir(f"/proc/{pid}/fd")]
        return []
    with contextlib.suppress(psutil.Error):  # not run where this was written
        return [file.path for file in psutil.Process(pid).open_files()]
    return []


def children_of(table: Iterable[ProcessInfo]) -> dict[int, list[int]]:
    """The numbers of each process's children."""
    found: dict[int, list[int]] = {}
    for process in table:
        if process.parent is not None:
            found.setdefault(process.parent, []).append(process.ref.pid)
    return found


def usage(ref: ProcessRef, children: Mapping[int, Sequence[int]]) -> Usage | None:
    """What a process and all below it have used; None if it has gone.

    *children* is of a table that was made once for many processes.
    """
    if identify(ref.pid) != ref:
        return None
    seconds, memory, stopped, waiting, done = 0.0, 0, False, [ref.pid], set[int]()
    while waiting:
        pid = waiting.pop()
        if pid in done:
            continue
        done.add(pid)
        waiting += children.get(pid, ())
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            times = process.cpu_times()
            # Those of children that have ended count as well, where the system tells them.
            seconds += times.user + times.system
            seconds += getattr(times, "children_user", 0.0)
            seconds += getattr(times, "children_system", 0.0)
            stopped = stopped or process.status() == psutil.STATUS_STOPPED
            memory += process.memory_info().rss
    return Usage(seconds, stopped, memory)


def _marked(worker: str, step: str) -> dict[int, int]:
    """Processes of a worker's step, each with its parent."""
    found = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            marks = _mark(process, WORKER_VARIABLE), _mark(process, STEP_VARIABLE)
            if marks == (worker, step):
                found[process.pid] = process.ppid()
    return found


def plotter_processes(
    worker: str, step: str, is_plotter: Callable[[Sequence[str]], bool]
) -> list[int]:
    """Those of a step's processes that are the plotter itself.

    Of several that look like it, one below the other, the lowest; where none does, those
    without children.
    """
    marked = _marked(worker, step)
    known = {pid: parent for pid, parent in marked.items() if is_plotter(_argv(pid))} or marked
    return [pid for pid in known if pid not in known.values()]


def _argv(pid: int) -> Sequence[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return ()


def find_marked(worker: str, step: str) -> ProcessRef | None:
    """The running process of a worker's step: the topmost that carries its mark."""
    marked = _marked(worker, step)
    for pid, parent in marked.items():
        if parent not in marked:
            ref = identify(pid)
            if ref is not None and is_alive(ref):
                return ref
    return None


@functools.cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()

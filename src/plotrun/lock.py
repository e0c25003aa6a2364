"""One runner for each state directory, and a way to wake it (see doorbell.py).

The lock is the operating system's: it goes with the process, however that dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from plotrun.model import ProcessRef
from plotrun.process_table import identify, is_alive
from plotrun.store import make_state_dir

LOCK_NAME = "runner.lock"
DOORBELL_NAME = "runner.wake"


class AlreadyRunning(Exception):  # noqa: N818 - reads as what it says
    """Another runner holds the state directory."""

    def __init__(self, state_dir: Path, pid: int | None) -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{who} runs plotrun on {state_dir} already: stop it first, "
            "or name another state_dir in the settings"
        )


class RunnerLock:
    """Holds the state directory until `release`."""

    def __init__(self, state_dir: Path) -> None:
        """Take the lock.

        Raises:
            AlreadyRunning: another runner has it.
            OSError: the lock file cannot be written.
        """
        make_state_dir(state_dir)
        self._path = state_dir / LOCK_NAME
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._descriptor)
        except OSError:
            holder = _holder(self._path)
            os.close(self._descriptor)
            raise AlreadyRunning(state_dir, holder.pid if holder else None) from None
        me = identify(os.getpid())
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        os.write(self._descriptor, json.dumps(asdict(me) if me else {}).encode())

    def release(self) -> None:
        """Let go of the state directory."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def running(state_dir: Path) -> ProcessRef | None:
    """The runner of a state directory, if one is up."""
    holder = _holder(state_dir / LOCK_NAME)
    return holder if holder and is_alive(holder) else None


def _holder(path: Path) -> ProcessRef | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        return ProcessRef(**json.loads(path.read_text("ascii")))
    return None


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":  # not run where this was written
        import msvcrt

        os.lseek(descriptor, 4096, os.SEEK_SET)  # past what is read: Windows' locks bar readers
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wake_runner(state_dir: Path) -> None:
    """Let the runner of a state directory, if one is up, look at what has changed."""
    with contextlib.suppress(OSError):
        descriptor = os.open(state_dir / DOORBELL_NAME, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            os.write(descriptor, b"!")
        finally:
            os.close(descriptor)

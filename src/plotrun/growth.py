"""Waiting until files change: the system tells at once, where it can (Linux)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
import time
from collections.abc import Sequence
from pathlib import Path

LOOK_AGAIN = 1.0
"""Seconds after which to look in any case: files do not tell that a process has ended."""
_CHANGES = 0x2 | 0x80 | 0x100
"""inotify(7): IN_MODIFY, IN_MOVED_TO, IN_CREATE."""


class Changes:
    """Changes of files that lie directly in some directories, from now on."""

    def __init__(self, directories: Sequence[Path]) -> None:
        self._descriptor = -1
        if sys.platform == "linux":
            libc = ctypes.CDLL(None, use_errno=True)
            self._descriptor = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
            for directory in dict.fromkeys(directories):  # one that is missing is looked at again
                libc.inotify_add_watch(self._descriptor, os.fsencode(directory), _CHANGES)

    def wait(self) -> None:
        """Wait for a change, `LOOK_AGAIN` at most."""
        if self._descriptor < 0:  # not run where this was written
            time.sleep(LOOK_AGAIN)
            return
        select.select([self._descriptor], [], [], LOOK_AGAIN)
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 65536)

    def close(self) -> None:
        """Watch no more."""
        if self._descriptor >= 0:
            os.close(self._descriptor)

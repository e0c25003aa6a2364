"""Whether a file is open in any process of this machine."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

if sys.platform != "win32":
    import fcntl

_NO_LEASES = {errno.EINVAL, errno.EACCES, errno.EPERM, errno.ENOLCK, errno.EOPNOTSUPP}
"""What Linux answers where it cannot tell: on network mounts, for files of other users."""


def open_elsewhere(descriptor: int, path: Path) -> str | None:
    """Which process has the file behind *descriptor* open beside it, in words; None if none has.

    On Linux the kernel itself is asked, by a lease: it is given to nobody while the file is open
    or mapped anywhere, also in processes that this user may not look at. It is kept until
    *descriptor* is closed: who opens the file meanwhile waits for that. Where there are no
    leases the table of processes is searched: those of other users stay unknown there.
    """
    leased = _lease(descriptor)
    if leased:
        return None
    found = next(_openers(descriptor, path), None)
    if found is not None:
        return f"open in {found}"
    return "open in another process" if leased is False else None


def _lease(descriptor: int) -> bool | None:
    """Whether the kernel lets nobody else have the file; None: it cannot tell here."""
    if sys.platform != "linux":
        return None
    try:
        # The signal at which a lease has to be given back: by default one that ends a process.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    except OSError as error:
        if error.errno in _NO_LEASES:
            return None
        if error.errno == errno.EAGAIN:
            return False
        raise
    return True


def _openers(descriptor: int, path: Path) -> Iterator[str]:
    """Processes that have the file open or mapped, as far as they may be looked at."""
    status, mine = os.fstat(descriptor), os.getpid()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if sys.platform == "linux":
                open_there = _opened_on_linux(process.pid, status, path, descriptor)
            else:  # not run where this was written
                here = process.pid == mine
                opened = sum(each.path == os.fspath(path) for each in process.open_files())
                open_there = opened > here
            if open_there:
                yield f"{process.name()} (process {process.pid})"


def _opened_on_linux(pid: int, status: os.stat_result, path: Path, descriptor: int) -> bool:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        if pid == os.getpid() and int(entry.name) == descriptor:
            continue
        with contextlib.suppress(OSError):  # closed meanwhile, or on a disk that is gone
            if os.path.samestat(entry.stat(), status):
                return True
    return os.fsencode(path) in Path(f"/proc/{pid}/maps").read_bytes()

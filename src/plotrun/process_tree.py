"""A process with all that it has started: suspended, resumed, ended.

Blocking, and apart from `plotrun.process`, since commands need no event loop for it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time

import psutil

from plotrun.model import ProcessRef
from plotrun.process_table import identify

KILL_GRACE = 10.0
"""Seconds between asking a process to end and killing it."""


def tree(ref: ProcessRef) -> list[psutil.Process]:
    """The process and all below it, the topmost first; empty if it has gone."""
    if identify(ref.pid) != ref:
        return []
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(ref.pid)
        return [top, *top.children(recursive=True)]
    return []


def suspend_tree(ref: ProcessRef) -> bool:
    """Stop a process and all below it; False: it has gone.

    Raises:
        PermissionError: it belongs to another user.
    """
    stopped = set[int]()
    # Again until there is none that is new: one that was not stopped yet may have started more.
    while new := [process for process in tree(ref) if process.pid not in stopped]:
        for process in new:
            stopped.add(process.pid)
            _signal(process, "suspend")
    return bool(stopped)


def resume_tree(ref: ProcessRef) -> bool:
    """Let a process and all below it go on; False: it has gone.

    Raises:
        PermissionError: it belongs to another user.
    """
    processes = tree(ref)
    for process in processes:
        _signal(process, "resume")
    return bool(processes)


def _signal(process: psutil.Process, how: str) -> None:
    try:
        getattr(process, how)()
    except psutil.AccessDenied:
        raise PermissionError(f"process {process.pid} belongs to another user") from None
    except psutil.NoSuchProcess:
        pass


def end_tree(ref: ProcessRef) -> None:
    """End a process and all below it, politely first."""
    # The topmost first: a shell whose child has gone would start the next command.
    processes = tree(ref)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGTERM)
            process.resume()  # one that is suspended would never see the signal
    deadline = time.monotonic() + KILL_GRACE
    for process in processes:
        if not _ends_by(process.pid, deadline):
            with contextlib.suppress(psutil.Error):
                process.kill()


def has_ended(ref: ProcessRef, seconds: float) -> bool:
    """Wait for the end of a process, so long at most: whether it has ended."""
    deadline = time.monotonic() + seconds
    return identify(ref.pid) != ref or _ends_by(ref.pid, deadline)


def _ends_by(pid: int, deadline: float) -> bool:
    """Wait for a process without reaping it: its exit code is for whoever started it."""
    if not hasattr(os, "pidfd_open"):  # not run where this was written
        return not psutil.wait_procs([psutil.Process(pid)], deadline - time.monotonic())[1]
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
    finally:
        os.close(descriptor)

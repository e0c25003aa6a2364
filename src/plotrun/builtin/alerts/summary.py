"""The daily summary: what has been made, and for how long there is room."""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import threading
import time as monotonic
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from plotrun import duration_words, moment_words, printable, size_words

from .kept import Counts

if TYPE_CHECKING:
    from plotrun import Settings

WORDS = "%plots% plots since %since%%mean%, %failures% failures. %room%%days%%trouble%"
"""Without a text of the user's own."""


def last_time(at: time, now: float) -> float:
    """When the clock on the wall showed *at* last, seconds since the epoch.

    On a day on which it is skipped (02:30 in spring), an hour later; on one that has it twice,
    the first of them.
    """
    today = datetime.combine(datetime.fromtimestamp(now).date(), at)
    if today.timestamp() > now:
        today -= timedelta(days=1)
    return today.timestamp()


def values(counts: Counts, settings: Settings, now: float) -> dict[str, str]:
    """The values of the summary's tags. Asks disks: `disk_timeout` seconds at most."""
    free, silent = _free(
        {dst for job in settings.jobs for dst in job.dst}, settings.general.disk_timeout
    )
    mean, room, days = "", "", ""
    if counts.timed:
        mean = f", {duration_words(counts.seconds / counts.timed)} each"
    if free:
        room = f"Free: {size_words(sum(free.values()))}"
        if counts.plot_bytes:
            more = sum(each // counts.plot_bytes for each in free.values())
            room += f", {more} plots"
            if counts.plots and now > counts.since:
                seconds = more * (now - counts.since) / counts.plots
                days = f", {seconds / 86400:.1f} days"
        room += (days and "") or ""
    trouble = "".join(f". Not answering: {path}" for path in sorted(silent))
    return {
        "plots": str(counts.plots),
        "since": moment_words(counts.since, now),
        "mean": mean,
        "failures": str(counts.failures),
        "room": room,
        "days": days,
        "trouble": printable(trouble),
    }


def _free(paths: Iterable[Path], timeout: float) -> tuple[Mapping[int, int], set[Path]]:
    """Free bytes of each file system, and the paths that have not answered in time."""
    waiting = set(paths)
    answers: queue.SimpleQueue[tuple[Path, int, int]] = queue.SimpleQueue()

    def ask(path: Path) -> None:
        with contextlib.suppress(OSError):
            answers.put((path, os.stat(path).st_dev, shutil.disk_usage(path).free))

    for path in waiting:
        threading.Thread(target=ask, args=(path,), name=f"disk {path}", daemon=True).start()
    free: dict[int, int] = {}
    deadline = monotonic.monotonic() + timeout
    while waiting:
        with contextlib.suppress(queue.Empty):
            path, device, count = answers.get(timeout=max(0.0, deadline - monotonic.monotonic()))
            waiting.discard(path)
            free[device] = count
            continue
        break
    return free, waiting

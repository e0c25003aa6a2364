"""The daily summary: what has been made, and for how long there is room."""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
import time as clocks
from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from plotrun import duration_words, moment_words, printable, size_words

from .kept import Counts

if TYPE_CHECKING:
    from plotrun import Settings

UNKNOWN = "?"


def last_time(at: time, now: float) -> float:
    """When the clock on the wall showed *at* last, seconds since the epoch.

    On a day on which it is skipped (02:30 in spring), an hour later; on one that has it twice,
    the first of them.
    """
    latest = datetime.combine(datetime.fromtimestamp(now).date(), at)
    if latest.timestamp() > now:
        latest -= timedelta(days=1)
    return latest.timestamp()


def values(counts: Counts, settings: Settings, now: float) -> dict[str, str]:
    """The values of the summary's tags. Asks disks: `disk_timeout` seconds at most."""
    paths = {dst for job in settings.jobs for dst in job.dst}
    free, silent = _free(paths, settings.general.disk_timeout)
    mean = room = days = UNKNOWN
    if counts.timed:
        mean = duration_words(counts.seconds / counts.timed)
    if counts.plot_bytes:
        more = sum(each // counts.plot_bytes for each in free.values())
        room = str(more)
        if counts.plots and now > counts.since:
            days = f"{more * (now - counts.since) / counts.plots / 86400:.1f}"
    return {
        "plots": str(counts.plots),
        "since": moment_words(counts.since, now),
        "mean": mean,
        "failures": str(counts.failures),
        "free": size_words(sum(free.values())),
        "room": room,
        "days": days,
        "silent": printable(", ".join(map(str, sorted(silent)))),
    }


def words(known: Mapping[str, str]) -> str:
    """The summary without a text of the user's own: what is not known is left out."""
    made = f"{known['plots']} plots since {known['since']}"
    made += f", {known['mean']} each" if known["mean"] != UNKNOWN else ""
    left = f"Free: {known['free']}"
    left += f", room for {known['room']} plots" if known["room"] != UNKNOWN else ""
    left += f" ({known['days']} days)" if known["days"] != UNKNOWN else ""
    silent = f" No answer from {known['silent']}." if known["silent"] else ""
    return f"{made}; {known['failures']} failures. {left}.{silent}"


def _free(paths: Iterable[Path], timeout: float) -> tuple[Mapping[int, int], set[Path]]:
    """Free bytes of each file system, and the paths that do not answer."""
    silent, waiting = set(paths), set(paths)
    answers: queue.SimpleQueue[tuple[Path, int | None, int]] = queue.SimpleQueue()

    def ask(path: Path) -> None:
        try:
            answers.put((path, path.stat().st_dev, shutil.disk_usage(path).free))
        except OSError:
            answers.put((path, None, 0))

    for path in waiting:
        threading.Thread(target=ask, args=(path,), name=f"disk {path}", daemon=True).start()
    free: dict[int, int] = {}
    deadline = clocks.monotonic() + timeout
    with contextlib.suppress(queue.Empty):
        while waiting:
            path, device, count = answers.get(timeout=max(0.0, deadline - clocks.monotonic()))
            waiting.discard(path)
            if device is not None:
                silent.discard(path)
                free[device] = count
    return free, silent

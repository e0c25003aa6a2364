"""The state as tables for a terminal: `render` takes what `plotrun.status.gather` answers."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from plotrun.words import duration_words, printable, size_words

Row = Mapping[str, Any]

BAR_WIDTH = 8
WIDE = 100
"""Columns from which there is room for ranges."""


def render(state: Row, width: int) -> RenderableType:
    """Jobs, workers, and what went wrong, for a terminal of *width* columns."""
    parts: list[RenderableType] = [_headline(state)]
    if state["jobs"]:
        parts.append(_jobs(state["jobs"]))
    if state["workers"]:
        parts.append(_workers(state["workers"], wide=width >= WIDE))
    parts += [_failed(row) for row in state["failed"]]
    parts += [
        Text(f"plugin {row['plugin']}: {row['hook']} failed: {printable(row['error'])}", "red")
        for row in state["plugin_failures"]
    ]
    return Group(*parts)


def _headline(state: Row) -> Text:
    runner = state["runner"]
    alive = sum(worker["own"] for worker in state["workers"])
    who = f"plotrun runs (process {runner['pid']})" if runner["running"] else "plotrun is not up"
    return Text(f"{who}, {alive} workers", "bold")


def _jobs(jobs: Sequence[Row]) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("job", "plotter", "plots", "running"):
        table.add_column(column, no_wrap=True)
    table.add_column("held because", ratio=1)
    for job in jobs:
        wanted = job["wanted"] or "∞"
        holds = "; ".join(printable(reason) for reason in job["holds"])
        if job["events_paused"]:
            holds += "; its events are paused" if holds else "its events are paused"
        table.add_row(
            job["name"],
            job["plotter"],
            f"{job['made']} / {wanted}",
            str(job["running"]),
            holds,
        )
    return table


def _workers(workers: Sequence[Row], wide: bool) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("worker", "job", "k", "plot"):
        table.add_column(column, no_wrap=True)
    table.add_column("tmp", no_wrap=True, overflow="ellipsis", max_width=12 if wide else 6)
    table.add_column("time", no_wrap=True)
    table.add_column("stage", overflow="ellipsis", ratio=1, min_width=11)
    table.add_column("", width=BAR_WIDTH)
    table.add_column("%", justify="right", no_wrap=True)
    table.add_column("left", no_wrap=True)
    for worker in workers:
        fraction = worker["fraction"]
        table.add_row(
            worker["id"],
            worker["job"] or f"({worker['plotter']})",
            str(worker["k"] or ""),
            (worker["plot_id"] or "")[:8],
            printable(Path(worker["tmp"]).name if worker["tmp"] else ""),
            duration_words(worker["seconds"]),
            stage_words(worker),
            ProgressBar(total=1.0, completed=fraction, width=BAR_WIDTH),
            str(int(100 * fraction)),
            left_words(worker["seconds_left"], wide),
        )
    return table


def left_words(seconds: Sequence[float] | None, wide: bool) -> str:
    """The time left: "2h 1m", and where there is room "1h 50m–2h 10m", the least and the most."""
    if seconds is None:
        return ""
    least, likely, most = (duration_words(each) for each in seconds)
    return f"{least}–{most}" if wide and least != most else likely


def stage_words(worker: Row) -> str:
    """Where a worker is, in a few words."""
    if worker["suspended"]:
        since = worker["suspended_since"]
        return f"suspended since {_hour(since)}" if since else "suspended"
    if not worker["own"]:
        return "by hand"
    if worker["stuck_since"]:
        return f"stuck since {_hour(worker['stuck_since'])}"
    if worker["trouble"]:
        return printable(worker["trouble"])
    waiting = [plot["waiting"] for plot in worker["plots"] if plot["waiting"]]
    if waiting:
        return f"waiting: {printable(waiting[0])}"
    speeds = [plot["copy_speed"] for plot in worker["plots"] if plot["copy_speed"]]
    if worker["stage"] == "finishing" and speeds:
        return f"copying, {size_words(sum(speeds))}/s"
    if worker["stage"] == "plotting":
        if worker["alive"] is False:
            return "plotter has ended"
        return f"phase {worker['phase']}:{worker['step']}" if worker["phase"] else "plotting"
    if worker["stage"] == "finishing" and worker["plots"]:
        return str(worker["plots"][-1]["stage"])
    return str(worker["stage"])


def _hour(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))


def _failed(row: Row) -> Text:
    log = f", log {row['log']}" if row["log"] else ""
    who = f"worker {row['id']} of job {row['job']}"
    return Text(f"failed: {who}: {printable(row['reason'])}{printable(log)}", "red")

"""Workers as a table."""

from __future__ import annotations

import time
from collections.abc import Sequence

from plotrun.screen.layout import Cell, Column, Table
from plotrun.screen.view import Row, Short
from plotrun.words import duration_words, printable, size_words

BAR_WIDTH = 8
WIDE = 120
"""Columns from which there is room for ranges."""
CHOSEN_LATER = "at the end"
"""For a destination that is chosen when the plot is finished."""


def workers_table(workers: Sequence[Row], tmp: Short, dst: Short, width: int) -> Table:
    """A line for each worker; *tmp* and *dst* name their directories."""
    notes = [_note(worker) for worker in workers]
    wide = width >= WIDE

    def column(title: str, rank: int, texts: Sequence[str], least: int = 0) -> Column:
        return Column(title, [Cell(text) for text in texts], rank, least)

    def figures(title: str, rank: int, texts: Sequence[str]) -> Column:
        return Column(title, [Cell(text) for text in texts], rank, right=True)

    def places(title: str, rank: int, texts: Sequence[str], least: int) -> Column:
        return Column(title, [Cell(text) for text in texts], rank, least, keeps_end=True)

    columns = [
        column("worker", 0, [w["id"] for w in workers]),
        column("job", 3, [printable(w["job"] or "by hand") for w in workers], least=7),
        column("plotter", 17, [printable(w["plotter"]) for w in workers], least=7),
        column("k", 8, [str(w["k"] or "") for w in workers]),
        column("plot", 10, [(w["plot_id"] or "")[:8] for w in workers]),
        places("tmp", 9, [tmp.name(w["tmp"]) for w in workers], least=6),
        places("dst", 11, [_dst(w, dst) for w in workers], len(CHOSEN_LATER)),
        figures("time", 6, [duration_words(w["seconds"]) for w in workers]),
        column("phase", 2, [_phase(w) for w in workers], least=len("delivering")),
        Column("", [Cell(_bar(w["fraction"]), "green") for w in workers], 7),
        figures("%", 1, [str(int(100 * w["fraction"])) for w in workers]),
        figures("left", 5, [left_words(w["seconds_left"], wide) for w in workers]),
        figures("in tmp", 12, [_size(w["tmp_bytes"]) for w in workers]),
        figures("memory", 13, [_size(w["memory"]) for w in workers]),
        figures("cpu", 14, ["" if w["cpu"] is None else f"{w['cpu']:.0%}" for w in workers]),
        figures("pid", 16, [str(w["pid"] or "") for w in workers]),
        column("state", 15, [_state(w) for w in workers]),
        Column("note", notes, 4, least=10),
    ]
    return Table(columns, width)


def left_words(seconds: Sequence[float] | None, wide: bool) -> str:
    """The time left: "2h 1m", and where there is room "1h 50m–2h 10m", the least and the most."""
    if seconds is None:
        return ""
    least, likely, most = (duration_words(each) for each in seconds)
    return f"{least}–{most}" if wide and least != most else likely


def _dst(worker: Row, short: Short) -> str:
    chosen = worker["dst"] or next(
        (plot["dst"] for plot in reversed(worker["plots"]) if plot["dst"]), None
    )
    if chosen is None:
        return CHOSEN_LATER if worker["own"] else ""
    return short.name(chosen)


def _phase(worker: Row) -> str:
    if worker["stage"] == "plotting":
        return f"{worker['phase']}:{worker['step']}" if worker["phase"] else ""
    if worker["stage"] == "finishing" and worker["plots"]:
        return str(worker["plots"][-1]["stage"])
    return str(worker["stage"])


def _bar(fraction: float) -> str:
    full = int(fraction * BAR_WIDTH + 0.5)
    return "━" * full + "─" * (BAR_WIDTH - full)


def _size(count: int) -> str:
    return size_words(count) if count else ""


def _state(worker: Row) -> str:
    """What its plotter's process does."""
    if worker["alive"] is None:
        return ""
    running = "suspended" if worker["suspended"] else "running"
    return running if worker["alive"] else "ended"


def _hour(at: float) -> str:
    return time.strftime("%H:%M", time.localtime(at))


def _note(worker: Row) -> Cell:
    """What is worth knowing about a worker beside its figures; what is wrong comes first."""
    if worker["suspended"]:
        since = worker["suspended_since"]
        return Cell(f"suspended since {_hour(since)}" if since else "suspended", "magenta")
    if worker["stuck_since"] is not None:
        return Cell(f"stuck since {_hour(worker['stuck_since'])}", "red")
    if worker["trouble"]:
        return Cell(printable(worker["trouble"]), "red")
    waiting = [plot["waiting"] for plot in worker["plots"] if plot["waiting"]]
    if waiting:
        return Cell(f"waiting: {printable(waiting[0])}", "magenta")
    if worker["stage"] == "plotting" and worker["alive"] is False:
        return Cell("plotter has ended")
    return Cell("")

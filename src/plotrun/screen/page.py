"""One page: all tables, within the height of a terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text

from plotrun.screen.disks import disks_table
from plotrun.screen.layout import Cell, Column, Table, folded, line
from plotrun.screen.view import Row, Short, View
from plotrun.screen.workers import workers_table
from plotrun.words import duration_words, printable, size_words

EVENTS_AT_ONCE = 8
"""The most events that are printed where the height has no limit."""


@dataclass
class Section:
    """A part of the page that may be cut."""

    head: list[Text]
    rows: Sequence[Text]
    least: int
    """Lines that it gets before others get more than their least."""
    newest_last: bool = False
    """Whether what does not fit is left out at its beginning, and not told."""
    lines: int = field(init=False)
    """What it gets: all, where it is not told otherwise."""

    def __post_init__(self) -> None:
        self.lines = self.wanted

    @property
    def wanted(self) -> int:
        """Lines of all of it; none if it has no rows."""
        return len(self.head) + len(self.rows) if self.rows else 0

    def shown(self, turned: int, width: int) -> list[Text]:
        """As much as it has lines for, *turned* pages on."""
        room = self.lines - len(self.head)
        if self.lines >= self.wanted:
            return [*self.head, *self.rows] if self.rows else []
        if room < 1:
            return []
        if self.newest_last:
            return [*self.head, *self.rows[-room:]]
        size = max(1, room - 1)
        start = turned % -(-len(self.rows) // size) * size
        rows = self.rows[start : start + size]
        return [*self.head, *rows, line(f"… {len(self.rows) - len(rows)} more", width)][
            : self.lines
        ]


def page(
    view: View, width: int, height: int | None = None, turned: int = 0, foot: str = ""
) -> list[Text]:
    """The lines of the page, none wider than *width*, not more than *height* if it is given.

    *turned* is how many times the user went on to the next workers; *foot* is the last line.
    """
    status = view.status
    whole = height is None
    tmp, dst = _shorts(view)
    top = [*_top(view, width), *_where(tmp, dst, width)]
    end = [line(foot, width, "dim")] if foot else []
    workers = _table(workers_table(status["workers"], tmp, dst, width), 6)
    jobs = _jobs(status["jobs"], width, whole)
    disks = _table(disks_table(view, tmp, dst, width), 4)
    if view.no_disks is not None:
        disks = Section([], [line(view.no_disks, width, "dim")], 1)
    failed = _failed(status, width, whole)
    events = _events(status["events"], width, whole)
    if height is not None:
        _share([workers, jobs, failed, disks, events], height - len(top) - len(end))
    parts = [
        section.shown(turned if section is workers else 0, width)
        for section in (jobs, workers, disks, failed, events)
    ]
    if height is None:
        parts = [[Text(), *part] for part in parts if part]
        return top + [each for part in parts for each in part]
    lines = top + [each for part in parts for each in part]
    return [*lines[: height - len(end)], *end][:height]


def _table(table: Table, least: int) -> Section:
    return Section([table.head], table, least)


def _share(sections: Sequence[Section], room: int) -> None:
    """Give each section its lines: first the least of each, then one by one to all in turn."""
    for section in sections:
        section.lines = max(0, min(section.least, section.wanted, room))
        room -= section.lines
    while room > 0 and any(section.lines < section.wanted for section in sections):
        for section in sections:
            if room > 0 and section.lines < section.wanted:
                section.lines += 1
                room -= 1


def _shorts(view: View) -> tuple[Short, Short]:
    # Those of others may be anywhere: with them there would be nothing to be left out.
    workers = [worker for worker in view.status["workers"] if worker["own"]]
    systems = view.file_systems or ()
    rows = [row for system in systems for row in system["directories"]]

    def used_as(*uses: str) -> list[str]:
        return [row["path"] for row in rows if set(uses) & set(row["used_as"])]

    plots = [plot["dst"] for worker in workers for plot in worker["plots"]]
    return (
        Short.of([*(worker["tmp"] for worker in workers), *used_as("tmp", "tmp2")]),
        Short.of([*(worker["dst"] for worker in workers), *plots, *used_as("dst")]),
    )


def _top(view: View, width: int) -> list[Text]:
    status = view.status
    runner, workers = status["runner"], status["workers"]
    who = f"plotrun runs (process {runner['pid']})" if runner["running"] else "plotrun is not up"
    alive = sum(worker["own"] for worker in workers)
    others = len(workers) - alive
    by_hand = f", {others} by hand" if others else ""
    lines = [line(f"{who}, {alive} workers{by_hand}", width, "bold")]
    lines += _parts(_machine_words(status["machine"]), width)
    return lines + _parts(_delivered_words(status["delivered"]), width)


def _parts(parts: Sequence[str], width: int) -> list[Text]:
    """Parts of a line, in as few lines as they fit into."""
    lines: list[str] = []
    for part in parts:
        joined = f"{lines[-1]}   {part}" if lines else part
        if lines and len(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(part)
    return [line(each, width) for each in lines]


def _machine_words(machine: Row) -> list[str]:
    words = []
    if machine["cpu"] is not None:
        words.append(f"cpu {machine['cpu']:.0%} of {machine['cpus']} cores")
    elif machine["load"] is not None:
        words.append(f"load {machine['load']:.1f} on {machine['cpus']} cores")
    used = machine["memory_total"] - machine["memory_available"]
    return [*words, f"memory {size_words(used)} of {size_words(machine['memory_total'])}"]


def _delivered_words(delivered: Row) -> list[str]:
    words = []
    for key, name in (("today", "today"), ("yesterday", "yesterday"), ("seven_days", "7 days")):
        span = delivered[key]
        mean = span["mean_seconds"]
        words.append(
            f"{name} {span['plots']} plots" + (f" ({duration_words(mean)})" if mean else "")
        )
    return words


def _where(tmp: Short, dst: Short, width: int) -> list[Text]:
    """Where the directories are whose names are short."""
    named = [("tmp", tmp.prefix), ("dst", dst.prefix)]
    parts = [f"{what} in {printable(prefix)}" for what, prefix in named if prefix is not None]
    return _parts(parts, width)


def _jobs(jobs: Sequence[Row], width: int, whole: bool) -> Section:
    columns = [
        Column("job", [Cell(printable(job["name"])) for job in jobs], 0, least=8),
        Column("plots", [Cell(f"{job['made']} / {job['wanted'] or '∞'}") for job in jobs], 1),
        Column("running", [Cell(str(job["running"])) for job in jobs], 2),
        Column("plotter", [Cell(printable(job["plotter"])) for job in jobs], 3, least=7),
    ]
    table = Table(columns, width)
    rows = []
    for job, shown in zip(jobs, table, strict=True):
        rows.append(shown)
        reasons = [*job["holds"], *(["its events are paused"] if job["events_paused"] else [])]
        words = f"  held: {'; '.join(map(printable, reasons))}" if reasons else ""
        if words:
            rows += folded(words, width) if whole else [line(words, width)]
    return Section([table.head], rows, 4)


def _failed(status: Row, width: int, whole: bool) -> Section:
    rows: list[Text] = []
    for row in status["failed"]:
        log = f", log {row['log']}" if row["log"] else ""
        who = f"worker {row['id']} of job {row['job']}"
        words = printable(f"failed: {who}: {row['reason']}{log if whole else ''}")
        rows += folded(words, width, "red")
    for row in status["plugin_failures"]:
        words = f"plugin {row['plugin']}: {row['hook']} failed: {printable(row['error'])}"
        rows += folded(words, width, "red")
    return Section([], rows, 2)


def _events(events: Sequence[Row], width: int, whole: bool) -> Section:
    rows: list[Text] = []
    for event in events[-EVENTS_AT_ONCE:] if whole else events:
        words = f"{time.strftime('%H:%M:%S', time.localtime(event['at']))} {event['words']}"
        rows += folded(words, width) if whole else [line(words, width)]
    return Section([], rows, 3, newest_last=True)

"""What a simulation found, on a terminal of any width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from plotrun.simulation.findings import DiskFindings, Findings, JobFindings, Span, running
from plotrun.words import duration_words, moment_words, printable, size_words

LEVELS = "▁▂▃▄▅▆▇█"
NONE = "·"
WIDEST = 84
"""Columns of a chart: half of the hours of a week."""
LEAST_SHARE = 0.005
"""Holds that took less of the time than this are not shown."""


def show(findings: Findings, console: Console) -> None:
    """Print all of it."""
    for line in _lines(findings, min(WIDEST, max(20, console.width - 4))):
        console.print(line, soft_wrap=not console.is_terminal)


def _lines(findings: Findings, width: int) -> Iterator[Text | str]:
    begun, end = findings.begun, findings.end
    yield Text(
        f"{duration_words(end - begun)} from {moment_words(begun, end)}, "
        f"to {moment_words(end, begun)}",
        "bold",
    )
    for job in findings.jobs:
        yield ""
        yield from _job(job, findings)
    for tmp in dict.fromkeys(span.tmp for span in findings.spans):
        here = [span for span in findings.spans if span.tmp == tmp]
        mean, most = running(here, begun, end)
        yield ""
        yield Text(f"plotters in {printable(tmp)}: {mean:.1f} at a time, {most} at most", "bold")
        yield f"  {_levels(_counts(here, findings, width), most)}"
    for disk in findings.disks:
        yield ""
        yield from _disk(disk, width)
    if findings.assumed:
        yield ""
        yield Text("taken for granted:", "bold")
        yield from (f"  {words}" for words in findings.assumed)


def _job(job: JobFindings, findings: Findings) -> Iterator[Text | str]:
    mean, most = job.running
    a_day = job.plots / findings.days
    yield Text(f"job {printable(job.name)}: {job.plots} plots, {a_day:.1f} a day", "bold")
    took = f", {duration_words(job.mean_seconds)} each" if job.mean_seconds else ""
    failed = f", {job.failures} failed" if job.failures else ""
    yield f"  plotters: {mean:.1f} at a time, {most} at most{took}{failed}"
    whole = findings.end - findings.begun
    for words, seconds in job.holds.items():
        if seconds >= LEAST_SHARE * whole:
            held = f"{duration_words(seconds)} ({seconds / whole:.0%})"
            yield f"  held {held}: {printable(words)}"


def _disk(disk: DiskFindings, width: int) -> Iterator[Text | str]:
    names = ", ".join(printable(path) for path in disk.directories)
    if disk.total is None:
        yield Text(f"{names}: room without end", "bold")
        return
    least = min(disk.free)
    words = f"free {size_words(disk.free[0])}, at the end {size_words(disk.free[-1])}"
    yield Text(f"{names}: {words}, least {size_words(least)}", "bold")
    used = [disk.total - free for free in disk.free]
    yield f"  {_levels(_columns(used, width), disk.total)} full"
    if disk.busy is not None:
        mean = sum(disk.busy) / len(disk.busy)
        yield f"  {_levels(_columns(disk.busy, width), 1.0)} busy: {mean:.0%}"


def _counts(spans: Sequence[Span], findings: Findings, width: int) -> list[float]:
    """How many there were at a time, the mean in each column."""
    column = (findings.end - findings.begun) / width
    return [
        running_within(spans, findings.begun + number * column, column) for number in range(width)
    ]


def running_within(spans: Sequence[Span], begun: float, seconds: float) -> float:
    """The mean number of plotters at a time."""
    end = begun + seconds
    overlaps = (min(end, span.ended or end) - max(begun, span.begun) for span in spans)
    return sum(overlap for overlap in overlaps if overlap > 0) / seconds


def _columns(values: Sequence[float], width: int) -> list[float]:
    """The highest of the values that fall into each column."""
    count = len(values)
    bounds = [number * count // width for number in range(width + 1)]
    return [max(values[start : max(stop, start + 1)]) for start, stop in pairwise(bounds)]


def _levels(values: Sequence[float], most: float) -> str:
    """A bar for each value; a dot for nothing."""
    top = len(LEVELS) - 1
    return "".join(
        LEVELS[min(top, int(value / most * len(LEVELS)))] if value > 0 and most else NONE
        for value in values
    )

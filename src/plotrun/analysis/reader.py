"""Reading logs: bytes in, finished plots out.

A log is searched for the literal bytes of its plotter's table by ``bytes.find``, and only the few
lines that have them are matched. It is read in blocks into one buffer, which is used again for the
next log: memory depends neither on the size of a log nor on the number of logs.
"""

from __future__ import annotations

import io
import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plotrun.analysis.assembly import Assembly
from plotrun.analysis.forms import AROUND, FinishedLog, LineForm
from plotrun.analysis.plots import Fields, FinishedPlot, merged, named_groups

log = logging.getLogger(__name__)

BLOCK = 1024 * 1024
"""Bytes read at a time. A log of a k=32 plot by chia has about 190 KB."""
LONGEST_LINE = 16 * 1024
"""Bytes of a line; longer ones are passed over. No plotter writes lines of more than two paths,
which are 9 KB at most."""
SNIFFED = 8 * 1024
"""Bytes at the beginning of a file in which a NUL makes it binary. After a power cut a log may
have NULs too, but further on."""


class Skipped(StrEnum):
    """Why a file told nothing."""

    EMPTY = "empty"
    BINARY = "not text"
    UNREADABLE = "cannot be read"
    NO_PLOT = "not the log of a plotter"


@dataclass(frozen=True, slots=True)
class LogRead:
    """What one file told."""

    plots: tuple[FinishedPlot, ...] = ()
    unfinished: int = 0
    """Plots that were begun in it and not finished."""
    skipped: Skipped | None = None


Patterns = Sequence[re.Pattern[bytes]]
Event = tuple[int, int, Fields, bool]
"""Where a line begins, whose table it is, what it tells, and whether a plot begins there."""


class _Table:
    """A plotter's table, made ready for searching."""

    def __init__(self, plotter: str, table: FinishedLog) -> None:
        self.plotter, self.table = plotter, table
        self.start = (table.start.anchor, [table.start.compiled()])
        self.head = _by_anchor(table.head)
        self.preamble = _by_anchor(table.preamble)
        self.body = _by_anchor(table.body)


class LogReader:
    """Reads one log after the other, each for the plots of all plotters in *tables*.

    Where the lines of two plotters begin a plot alike, the first of them has it.
    """

    def __init__(self, tables: Sequence[tuple[str, FinishedLog]], block: int = BLOCK) -> None:
        """*block*: how many bytes to read at a time."""
        self._tables = [_Table(plotter, table) for plotter, table in tables]
        self._block = block
        self._data = bytearray(SNIFFED + block + 2 * AROUND + LONGEST_LINE)
        self._view = memoryview(self._data)

    def read(self, path: str) -> LogRead:
        """What the file at *path* tells. Whatever is in it, nothing is raised."""
        try:
            with io.FileIO(path, opener=_open_at_once) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return LogRead(skipped=Skipped.UNREADABLE)
                return self._read(path, file)
        except (OSError, ValueError):  # ValueError: a NUL in the path
            return LogRead(skipped=Skipped.UNREADABLE)

    def _read(self, path: str, file: io.FileIO) -> LogRead:
        end = self._fill(file, 0, SNIFFED)
        if not end:
            return LogRead(skipped=Skipped.EMPTY)
        if self._data.find(0, 0, end) >= 0:
            return LogRead(skipped=Skipped.BINARY)
        end += self._fill(file, end, self._block)
        logs = [Assembly(path, ready.plotter, ready.table) for ready in self._tables]
        done = 0
        """What lies before it in the buffer has been searched."""
        last = cutting = False
        while True:
            stop = end if last else self._data.rfind(b"\n", done, end) + 1 or done
            done = self._search(logs, done, stop, last)
            if last:
                break
            if end - stop > LONGEST_LINE:
                end, cutting = stop, True
            kept = max(0, done - AROUND)
            self._move(kept, end, to=0)
            done, end = done - kept, end - kept
            got = self._fill(file, end, self._block)
            last = not got
            if cutting:  # the rest of the line that was too long
                found = self._data.find(b"\n", end, end + got) + 1
                self._move(found or end + got, end + got, to=end)
                got, cutting = (end + got - found if found else 0), not found
            end += got
        plots = [plot for log in logs for plot in log.end()]
        unfinished = sum(log.unfinished for log in logs)
        skipped = None if plots or unfinished else Skipped.NO_PLOT
        return LogRead(tuple(plots), unfinished, skipped)

    def _fill(self, file: io.FileIO, end: int, most: int) -> int:
        """Read on, at *most* so many bytes, behind *end* bytes of the buffer; how many came."""
        return file.readinto(self._view[end : end + most])

    def _move(self, low: int, high: int, to: int) -> None:
        if low != to:
            self._data[to : to + high - low] = self._data[low:high]

    def _search(self, logs: Sequence[Assembly], low: int, high: int, last: bool) -> int:
        """Search the whole lines from *low* to *high*; answers up to where it came.

        A start near the end is left for the next time, when all that belongs to it is there.
        """
        starts = self._starts(low, high)
        if not last:
            near = [at for at in starts if at > high - AROUND]
            if near:
                high = min(near)
                starts = {at: found for at, found in starts.items() if at < high}
        events: list[Event] = [(at, whose, told, True) for at, (whose, told) in starts.items()]
        for index, (ready, log) in enumerate(zip(self._tables, logs, strict=True)):
            own = [at for at, (whose, _) in starts.items() if whose == index]
            if own or log.begun:
                begin = low if log.begun else min(own)
                events += [
                    (at, index, told, False)
                    for anchor, patterns in ready.body
                    for at, told in self._lines(anchor, patterns, begin, high)
                ]
        places = [0, *sorted(starts), high]
        number = 0
        for at, index, told, starting in sorted(events, key=lambda event: event[:2]):
            if starting:
                number += 1
                before, following = places[number - 1], places[number + 1]
                self._begin(logs[index], self._tables[index], told, before, at, following)
            else:
                logs[index].line(told)
        return high

    def _starts(self, low: int, high: int) -> dict[int, tuple[int, Fields]]:
        """Where plots begin: by which table, and what that line tells."""
        found: dict[int, tuple[int, Fields]] = {}
        for index, ready in enumerate(self._tables):
            for at, told in self._lines(*ready.start, low, high):
                found.setdefault(at, (index, told))
        return found

    def _begin(
        self, log: Assembly, ready: _Table, told: Fields, before: int, at: int, following: int
    ) -> None:
        """A plot begins *at*; the one before it did at *before*, the next one at *following*."""
        low, high = max(before, at - AROUND), min(following, at + AROUND)
        before_it = [
            found
            for anchor, patterns in ready.preamble
            for _, found in self._lines(anchor, patterns, low, at)
        ]
        preamble = merged(reversed(before_it))  # the nearest counts: another process may be before
        head = merged(self._first(anchor, patterns, at, high) for anchor, patterns in ready.head)
        log.start(preamble, merged([told, head]))

    def _first(self, anchor: bytes, patterns: Patterns, low: int, high: int) -> Fields:
        return next((told for _, told in self._lines(anchor, patterns, low, high)), {})

    def _lines(
        self, anchor: bytes, patterns: Patterns, low: int, high: int
    ) -> Iterator[tuple[int, Fields]]:
        """Lines with *anchor* that one of *patterns* matches: where they begin, what they tell."""
        data = self._data
        at = data.find(anchor, low, high)
        while at >= 0:
            begin = data.rfind(b"\n", low, at) + 1 or low
            end = data.find(b"\n", at, high)
            line_end = high if end < 0 else end
            for pattern in patterns if line_end - begin <= LONGEST_LINE else ():
                match = pattern.match(data, begin, line_end)
                if match:
                    yield begin, named_groups(match)
                    break
            # On with the next line: a line full of anchors is looked at once.
            at = data.find(anchor, end, high) if end >= 0 else -1


def _by_anchor(forms: Sequence[LineForm]) -> list[tuple[bytes, Patterns]]:
    """Patterns by their anchors: one search finds the lines of all forms that share one."""
    found: dict[bytes, list[re.Pattern[bytes]]] = {}
    for form in forms:
        found.setdefault(form.anchor, []).append(form.compiled())
    return list(found.items())


def tables_of(stated: Mapping[str, FinishedLog | None]) -> list[tuple[str, FinishedLog]]:
    """The tables to search by, by the names of plotters.

    Of those that several plotters state alike, only the first counts. One that cannot be used is
    left out with a warning: a plugin's mistake must not hide the plots of other plotters.
    """
    found: list[tuple[str, FinishedLog]] = []
    for plotter, table in stated.items():
        if table is None or table in [known for _, known in found]:
            continue
        try:
            _Table(plotter, table)
        except Exception as error:  # a stranger's table may be wrong in any way
            log.warning("plotter %s: its finished_log cannot be used: %s", plotter, error)
        else:
            found.append((plotter, table))
    return found


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting: a pipe that nobody writes to would hold everything up."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))

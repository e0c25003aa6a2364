"""The plots of one plotter in one log, put together line by line."""

from __future__ import annotations

from collections import deque

from plotrun.analysis.forms import FinishedLog
from plotrun.analysis.plots import Draft, Fields, FinishedPlot

LATE = 8
"""Finished plots for which lines may still come: MadMax copies one while it makes the next."""


class Assembly:
    """Takes the lines of a log in their order; `end` answers the finished plots."""

    def __init__(self, log: str, plotter: str, table: FinishedLog) -> None:
        self._log, self._plotter, self._table = log, plotter, table
        self._now: Draft | None = None
        self._late: deque[Draft] = deque()
        self._finished: list[FinishedPlot] = []
        self._preamble: dict[str, bytes] = {}
        self.unfinished = 0
        """Plots that were begun and not finished, as far as the log was read."""

    @property
    def begun(self) -> bool:
        """Whether a plot has begun: without one, no other line means anything."""
        return self._now is not None

    def start(self, preamble: dict[str, bytes], head: Fields) -> None:
        """A plot begins. *preamble*: what a new process told before it; empty: the same goes on."""
        self._close()
        self._preamble = preamble or self._preamble
        self._now = Draft({})
        self._now.take(head)
        self._now.take(self._preamble)

    def line(self, told: Fields) -> None:
        """A line of the plot under way, or of one before it that its file name tells."""
        now = self._now
        if now is None:
            return
        file = told.get("file")
        if file and not now.may_be(file):
            self._of_another(now, file, told)
        elif now.is_complete(self._table):
            now.take_late(told)
        else:
            now.take(told)

    def end(self) -> list[FinishedPlot]:
        """The log ends: its finished plots, in the order in which they were begun."""
        self._close()
        while self._late:
            self._settle()
        return self._finished

    def _of_another(self, now: Draft, file: bytes, told: Fields) -> None:
        for earlier in self._late:
            if earlier.may_be(file):
                earlier.take_late(told)
                return
        if self._table.complete_with == "file" and not now.is_complete(self._table):
            now.damaged = True  # the lines between are missing: whose figures these are is unknown

    def _close(self) -> None:
        if self._now is None:
            return
        if self._now.is_complete(self._table):
            self._late.append(self._now)
        else:
            self.unfinished += 1
        self._now = None
        if len(self._late) > LATE:
            self._settle()

    def _settle(self) -> None:
        draft = self._late.popleft()
        self._finished.append(draft.finished(self._log, self._plotter, self._table))

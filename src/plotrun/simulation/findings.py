"""What a simulation found: plots, slots, disks over time, and what held starts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

from plotrun.model import Event, EventKind, Hold

_CHANGING = re.compile(r"\b[0-9a-f]{8}\b|\d+|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b")
SAMPLES = 168
"""Moments at which disks are looked at: the hours of a week."""


@dataclass
class Span:
    """One plotter's time. Times are seconds since the epoch."""

    job: str
    tmp: Path
    begun: float
    slot: int
    """The lowest number that no other plotter in its tmp directory had at that time, from 0."""
    phases: list[tuple[int, float]] = field(default_factory=list)
    """Number and beginning of each phase."""
    ended: float | None = None
    failed: bool = False


@dataclass(frozen=True)
class DiskFindings:
    """A file system over time."""

    directories: tuple[Path, ...]
    total: int | None
    """Bytes; None: it has no end."""
    free: tuple[int, ...]
    """Bytes, at the beginning of each sample and at the end."""
    busy: tuple[float, ...] | None
    """Share of its bandwidth that was used, in each sample; None: it has no limit."""


@dataclass(frozen=True)
class JobFindings:
    """What became of a job."""

    name: str
    plots: int
    failures: int
    mean_seconds: float | None
    """From a plotter's start to its end, of those that ended well."""
    running: tuple[float, int]
    """Plotters at a time: the mean, and the most."""
    holds: Mapping[str, float]
    """What held its starts, in words, and for how many seconds; the longest first."""


@dataclass(frozen=True)
class Findings:
    """All of it."""

    begun: float
    days: float
    jobs: tuple[JobFindings, ...]
    spans: tuple[Span, ...]
    disks: tuple[DiskFindings, ...]
    assumed: tuple[str, ...]
    """What had to be taken for granted, in words."""
    event_counts: Mapping[str, int]

    @property
    def end(self) -> float:
        """Seconds since the epoch."""
        return self.begun + self.days * 86400


class Watcher:
    """Follows a runner through a simulation."""

    def __init__(self, begun: float, prefix: str) -> None:
        """*prefix* is taken out of what is said: users know their directories without it."""
        self.spans: list[Span] = []
        self.plots: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.events: Counter[str] = Counter()
        self._prefix = prefix
        self._living: dict[str, Span] = {}
        self._holds: dict[str, tuple[str, float]] = {}
        self._held: dict[str, dict[str, float]] = {}
        self._words: dict[tuple[str, str], tuple[str, str]] = {}
        """For each kind of hold of a job: the first words, and what all of them begin with."""
        self._begun = begun

    def happened(self, event: Event) -> None:
        """Take an event in."""
        self.events[event.kind] += 1
        job, worker = event.job or "", event.worker or ""
        match event.kind:
            case EventKind.PLOTTER_STARTED:
                tmp = Path(self.plain(str(event.data["tmp"])))
                taken = {span.slot for span in self._living.values() if span.tmp == tmp}
                slot = next(n for n in range(len(taken) + 1) if n not in taken)
                self._living[worker] = span = Span(job, tmp, event.at, slot)
                self.spans.append(span)
            case EventKind.PHASE_CHANGED if worker in self._living:
                self._living[worker].phases.append((int(event.data["phase"]), event.at))
            case EventKind.PLOTTER_FINISHED if worker in self._living:
                span = self._living.pop(worker)
                span.ended, span.failed = event.at, bool(event.data["exit_code"])
            case EventKind.PLOT_DELIVERED:
                self.plots[job] += 1
            case EventKind.WORKER_FAILED:
                self.failures[job] += 1
            case _:
                pass

    def held(self, job: str, hold: Hold | None, at: float) -> None:
        """A job was asked whether it may start."""
        words = "" if hold is None else self.plain(hold.reason).partition("\n")[0]
        # Times and figures in the words differ from one moment to the next.
        kind = _CHANGING.sub("#", words)
        first, common = self._words.get((job, kind), (words, words))
        if words != common:
            self._words[job, kind] = first, _common_beginning(common, words)
        else:
            self._words[job, kind] = first, common
        before, since = self._holds.get(job, ("", at))
        if before and at > since:
            seconds = self._held.setdefault(job, {})
            seconds[before] = seconds.get(before, 0.0) + at - since
        self._holds[job] = kind, at

    def end(self, at: float) -> None:
        """Nothing is followed any more."""
        for job in tuple(self._holds):
            self.held(job, None, at)

    def job(self, name: str, end: float) -> JobFindings:
        """What became of a job."""
        mine = [span for span in self.spans if span.job == name]
        took = [s.ended - s.begun for s in mine if s.ended is not None and not s.failed]
        return JobFindings(
            name,
            self.plots[name],
            self.failures[name],
            sum(took) / len(took) if took else None,
            running(mine, self._begun, end),
            self._holds_of(name),
        )

    def _holds_of(self, job: str) -> dict[str, float]:
        held = sorted(self._held.get(job, {}).items(), key=lambda item: -item[1])
        found: dict[str, float] = {}
        for kind, seconds in held:
            first, common = self._words[job, kind]
            words = first if first == common else common.rpartition(":")[0] or first
            if words.rpartition(" ")[2].startswith("/"):  # a reason is missing, and first is one
                words = first
            found[words] = found.get(words, 0.0) + seconds
        return found

    def plain(self, words: str) -> str:
        """Words as the user knows directories."""
        return words.replace(self._prefix, "")


def _common_beginning(one: str, other: str) -> str:
    count = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    )
    return one[:count]


def running(spans: Sequence[Span], begun: float, end: float) -> tuple[float, int]:
    """How many of *spans* there are at a time from *begun* to *end*: the mean, and the most."""
    changes = sorted(
        change for span in spans for change in ((span.begun, 1), (min(end, span.ended or end), -1))
    )
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    whole = sum(min(end, span.ended or end) - span.begun for span in spans)
    return whole / (end - begun), most

"""A finished plot, and putting one together from the fields that lines of a log tell."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from plotrun.analysis.forms import FinishedLog
from plotrun.workdir import FINISHED, PREFIX

Fields = Mapping[str, bytes | None]
"""What the pattern of a `LineForm` found, by the names of its groups."""

LONGEST_TEXT = 4096
"""Bytes of a path that are kept: the longest that Linux takes."""


@dataclass(frozen=True, slots=True)
class FinishedPlot:
    """What a log tells of a finished plot. None: it does not tell."""

    log: str
    """Path of the log."""
    plotter: str
    plot_id: str | None
    """64 hex digits."""
    k: int | None
    tmp: str | None
    tmp2: str | None
    dst: str | None
    """Where the plotter left the finished file."""
    threads: int | None
    buckets: int | None
    buffer: int | None
    """MiB of memory that the plotter was given or says it takes."""
    started: str | None
    """ "2026-11-20T19:31:17", or without seconds; the local time of the machine that plotted."""
    phases: tuple[float | None, ...]
    """Seconds of each phase."""
    copy: float | None
    """Seconds of copying or writing the finished file, where the plotter tells them."""
    total: float
    """Seconds, as the plotter counts them."""


@dataclass
class Draft:
    """A plot under way in a log."""

    fields: dict[str, bytes]
    phases: dict[int, float] = field(default_factory=dict)
    copy: float | None = None
    total: float | None = None
    file: bytes | None = None
    damaged: bool = False
    """Its lines contradict each other: a piece of the log is missing."""

    def take(self, told: Fields) -> None:
        """Take in what one line tells of this plot."""
        if told.get("phase"):
            self._phase(int(told["phase"] or 0), number(told.get("seconds")))
        if told.get("total"):
            self.total = number(told["total"])
        self.take_late(told)
        for name in PLOT_FIELDS:
            value = told.get(name)
            if value is not None:
                self.fields.setdefault(name, value)

    def take_late(self, told: Fields) -> None:
        """Take in a line that comes after the plot is finished: it can only tell of its copy."""
        if self.copy is None and told.get("copy"):
            self.copy = number(told["copy"])
        if self.file is None and told.get("file"):
            self.file = told["file"]

    def may_be(self, file: bytes) -> bool:
        """Whether *file*, the name or path of a plot, may be that of this one."""
        theirs, mine = _ID.search(base(file)), self.plot_id
        return theirs is None or mine is None or theirs[0] == mine

    @property
    def plot_id(self) -> bytes | None:
        """Its id, told by itself or in a name."""
        named = self.fields.get("plot_id")
        if named is not None:
            return named
        found = _ID.search(base(self.fields.get("name") or self.file or b""))
        return found[0] if found else None

    def is_complete(self, table: FinishedLog) -> bool:
        """Whether everything has been told that makes it a finished plot."""
        told = self.total is not None
        if table.complete_with == "file":
            told = told and self.file is not None
        return told and not self.damaged

    def finished(self, log: str, plotter: str, table: FinishedLog) -> FinishedPlot:
        """The finished plot; `is_complete` was true."""
        assert self.total is not None
        name = base(self.fields.get("name") or self.file or b"")
        named = _NAME.match(name)
        k = whole(self.fields.get("k") or (named["k"] if named else None))
        gib = whole(self.fields.get("buffer_gib"))
        buffer = number(self.fields.get("buffer"))
        dst = self.fields.get("dst") or (self.file and self.file[: -len(base(self.file))])
        plot_id = self.plot_id
        return FinishedPlot(
            log=log,
            plotter=plotter,
            plot_id=plot_id.decode("ascii") if plot_id else None,
            k=table.k if k is None else k,
            tmp=directory(self.fields.get("tmp")),
            tmp2=directory(self.fields.get("tmp2")),
            dst=directory(dst or None),
            threads=whole(self.fields.get("threads")),
            buckets=whole(self.fields.get("buckets")),
            buffer=round(buffer) if buffer is not None else None if gib is None else gib * 1024,
            started=moment(self.fields.get("started")) or (moment(named["at"]) if named else None),
            phases=tuple(self.phases.get(phase) for phase in range(1, table.phases + 1)),
            copy=self.copy,
            total=self.total,
        )

    def _phase(self, phase: int, seconds: float | None) -> None:
        if seconds is None or any(phase <= before for before in self.phases):
            self.damaged = True
        else:
            self.phases[phase] = seconds


PLOT_FIELDS = (
    "plot_id",
    "k",
    "tmp",
    "tmp2",
    "dst",
    "threads",
    "buckets",
    "buffer",
    "buffer_gib",
    "started",
    "name",
)
"""The groups of a `LineForm` that are kept as they are told, the first of each."""

_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_NAME = re.compile(rb"plot-(?:\w+-)??k(?P<k>\d{1,3})-(?:c\d+-)?(?P<at>\d{4}-\d\d-\d\d-\d\d-\d\d)\b")
_OWN = re.compile(rf"[/\\]{PREFIX}[0-9a-f]{{8}}(?:[/\\]{FINISHED})?$")
_MONTHS = (
    *(b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun"),
    *(b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"),
)
_CTIME = re.compile(rb"\w{3} (?P<b>\w{3}) +(?P<d>\d\d?) (?P<t>\d\d:\d\d:\d\d) (?P<y>\d{4})\b")
_DIGITS = re.compile(
    rb"(?P<y>\d{4})[-/](?P<m>\d\d)[-/](?P<d>\d\d)[-T ](?P<t>\d\d[-:]\d\d(?::\d\d)?)(?!\d)"
)


def named_groups(match: re.Match[bytes]) -> dict[str, bytes]:
    """The named groups of *match* that took part in it."""
    return {name: value for name, value in match.groupdict().items() if value is not None}


def merged(found: Iterable[Fields]) -> dict[str, bytes]:
    """Fields of several lines in one; the first that tells a field counts."""
    fields: dict[str, bytes] = {}
    for told in found:
        for name, value in told.items():
            if value is not None:
                fields.setdefault(name, value)
    return fields


def base(path: bytes) -> bytes:
    """The last part of a path, of Linux or of Windows."""
    return re.split(rb"[/\\]", path)[-1]


def number(text: bytes | None) -> float | None:
    """A figure that is finite and not negative, or None."""
    try:
        found = float(text or b"")
    except ValueError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def whole(text: bytes | None) -> int | None:
    """A whole number, or None."""
    return int(text) if text is not None and len(text) < 10 and text.isdigit() else None


def directory(path: bytes | None) -> str | None:
    """A directory as people name it: without a slash at its end, and without the part that is a
    worker's own (``plotrun-`` and its id), so that workers in one place are one group."""
    if path is None:
        return None
    text = path[:LONGEST_TEXT].decode("utf-8", "surrogateescape").strip()
    text = text.rstrip("/\\") or text[:1]
    return _OWN.sub("", text) or text


def moment(text: bytes | None) -> str | None:
    """A date and time of a log or of a plot's name in ISO form, or None if it is none."""
    found = _CTIME.match(text or b"")
    if found and found["b"] in _MONTHS:
        month = _MONTHS.index(found["b"]) + 1
    else:
        found = _DIGITS.match(text or b"")
        if found is None:
            return None
        month = int(found["m"])
    hour, minute, *second = (int(part) for part in re.split(rb"[-:]", found["t"]))
    clock = (hour, minute, second[0] if second else 0)
    try:
        at = datetime(int(found["y"]), month, int(found["d"]), *clock)
    except ValueError:
        return None
    return at.isoformat(timespec="minutes" if not second else "seconds")

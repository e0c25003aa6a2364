"""Reading a plotter's log: a table of line patterns, fed with bytes, never touching a file.

A plotter brings its table (a sequence of `Rule`); `LogParser` feeds it whole lines, however the
bytes were cut into chunks, and answers with facts; `advance` turns facts into `Progress`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from plotrun.model import Progress
from plotrun.troubles import TroubleKind, trouble_kind

LONGEST_LINE = 64 * 1024
"""Bytes of a line that are kept. No known plotter writes lines of more than 300 bytes."""


@dataclass(frozen=True)
class PlotStarted:
    """The plotter began a plot."""


@dataclass(frozen=True)
class PlotNamed:
    """The plotter told the id of the plot being made (64 hex digits)."""

    plot_id: str
    name: str | None = field(default=None, compare=False)
    """The name of the plot's file, without its suffix, if the line tells."""


@dataclass(frozen=True)
class PhaseStarted:
    """A phase began."""

    phase: int


@dataclass(frozen=True)
class StepStarted:
    """A step (a table, usually) of the running phase began."""

    step: int


@dataclass(frozen=True)
class FractionDone:
    """The plotter's own figure for how much of the plot is done, from 0 to 1."""

    fraction: float


@dataclass(frozen=True)
class PhaseTook:
    """A phase ended after this many seconds."""

    phase: int
    seconds: float


@dataclass(frozen=True)
class PlotTook:
    """All phases of a plot together took this many seconds."""

    seconds: float


@dataclass(frozen=True)
class PlotComplete:
    """A finished plot has its final name. Its id, if the line tells: another may be under way."""

    plot_id: str | None = None
    path: str | None = field(default=None, compare=False)
    """Its path or its name, as the line tells it."""


@dataclass(frozen=True)
class SizesTold:
    """The plotter told bytes of the plot being made."""

    plot: int | None = None
    """Of the finished file."""
    tmp: int | None = None
    """Of temporary space, at its highest."""


@dataclass(frozen=True)
class Trouble:
    """The plotter says that something is wrong, in its own words."""

    text: str

    @property
    def kind(self) -> TroubleKind:
        """What the words mean."""
        return trouble_kind(self.text)


@dataclass(frozen=True)
class CopyFailed(Trouble):
    """The finished plot could not be brought to its final directory; it is tried again."""


Fact: TypeAlias = (
    PlotStarted
    | PlotNamed
    | PhaseStarted
    | StepStarted
    | FractionDone
    | PhaseTook
    | PlotTook
    | PlotComplete
    | SizesTold
    | Trouble
)


@dataclass(frozen=True)
class Rule:
    """A line of the log that means something: a pattern and what it says.

    The pattern is matched at the beginning of a line and must not match a line's end.
    """

    pattern: bytes
    fact: Callable[[re.Match[bytes]], Fact | tuple[Fact, ...]]
    """What it says: a fact, or several in their order."""


class LogParser:
    """Turns the bytes of a log into facts, by a plotter's table.

    Bytes may come in chunks cut anywhere. Memory is bounded by `LONGEST_LINE` whatever comes.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(re.compile(rule.pattern), rule.fact) for rule in rules]
        alternatives = b"|".join(
            b"(?P<r%d>%s)" % (index, rule.pattern) for index, rule in enumerate(rules)
        )
        self._any = re.compile(b"^(?:%s)" % alternatives, re.MULTILINE)
        self._rest = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> list[Fact]:
        """Facts of the lines that *chunk* completes, in their order."""
        # A carriage return redraws a line on a terminal: what follows it is a line of its own.
        lines, newline, rest = (self._rest + chunk.replace(b"\r", b"\n")).rpartition(b"\n")
        if newline and self._skipping:
            _, _, lines = lines.partition(b"\n")
            self._skipping = False
        if len(rest) > LONGEST_LINE:
            rest, self._skipping = b"", True
        self._rest = b"" if self._skipping else rest
        matches = self._any.finditer(lines) if newline else ()
        return [fact for match in matches for fact in self._facts(match)]

    @property
    def pending(self) -> int:
        """Bytes of a line whose end has not come yet."""
        return len(self._rest)

    def _facts(self, found: re.Match[bytes]) -> tuple[Fact, ...]:
        assert found.lastgroup is not None
        pattern, fact = self._rules[int(found.lastgroup[1:])]
        match = pattern.match(found.string, found.start())
        assert match is not None
        said = fact(match)
        return said if isinstance(said, tuple) else (said,)


def log_words(raw: bytes) -> str:
    """Words of a log for people: at most 500 characters, undecodable bytes shown as such."""
    return raw[:500].decode("utf-8", "backslashreplace").strip()


def advance(progress: Progress, facts: Iterable[Fact]) -> Progress:
    """The progress after *facts*. Within one plot neither phase nor fraction goes back."""
    for fact in facts:
        match fact:
            case PlotStarted():
                progress = Progress(
                    plots_started=progress.plots_started + 1,
                    plots_complete=progress.plots_complete,
                    memory=progress.memory,
                    cpu=progress.cpu,
                )
            case PlotNamed(plot_id):
                progress = replace(progress, plot_id=plot_id)
            case PhaseStarted(phase) if phase > progress.phase:
                progress = replace(progress, phase=phase, step=0, trouble=None)
            case StepStarted(step):
                progress = replace(progress, step=step, trouble=None)
            case FractionDone(fraction):
                done = min(1.0, max(progress.fraction, fraction))
                progress = replace(progress, fraction=done, trouble=None)
            case PlotTook():
                progress = replace(progress, whole=True)
            case PlotComplete(plot_id):
                complete = progress.plots_complete + 1
                progress = replace(progress, plots_complete=complete, whole=False)
                if plot_id in (None, progress.plot_id):
                    progress = replace(progress, fraction=1.0, trouble=None)
            case Trouble(words):
                progress = replace(progress, trouble=words)
            case _:
                pass
    return progress

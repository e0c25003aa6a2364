"""Events between jobs, as jobs write them: what they emit, what they start on, and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge

from plotrun.settings.problems import nearest, shown
from plotrun.settings.start_times import Every, at_expected, fits, next_after
from plotrun.settings.types import Help, Name, Seconds, Tables, Written, read_name
from plotrun.words import duration_words

JOB_END = "job end"
STAGES = (
    "pre started",
    "pre finished",
    "plotter started",
    "plotter finished",
    "delivered",
    "post started",
    "post finished",
    "worker end",
    JOB_END,
)
"""Where in a worker's life, or a job's, an event may be emitted, beside phases and percentages."""
_PHASE = re.compile(r"(\d{1,4})(?::(\d{1,4}))? (start|end)")
_PERCENT = re.compile(r"(\d{1,3}) ?%")
_MARK = (
    f'a stage ({", ".join(STAGES)}), the start or end of a phase or a step ("2 start", "3:1 end"), '
    'or a part of the way ("60%")'
)


@dataclass(frozen=True)
class Mark:
    """A point on the way of a worker: a stage, the edge of a phase or a step, or a percentage."""

    text: str
    """As it is written."""
    phase: int | None = None
    step: int | None = None
    """None: the whole phase."""
    ends: bool = False
    """Whether it is the end of the phase or the step, and not its start."""
    fraction: float | None = None
    """Of the plot's way, from 0 to 1."""

    def __str__(self) -> str:
        return self.text


def read_mark(value: Any) -> Mark:
    """The mark that *value* names.

    Raises:
        ValueError: it names none.
    """
    if not isinstance(value, str):
        raise ValueError("it is not text")
    text = " ".join(value.lower().split())
    if text in STAGES:
        return Mark(text)
    if match := _PHASE.fullmatch(text):
        phase, step = int(match[1]), None if match[2] is None else int(match[2])
        if phase == 0 or step == 0:
            raise ValueError("phases and steps are counted from 1")
        return Mark(text, phase, step, match[3] == "end")
    if match := _PERCENT.fullmatch(text):
        if not 1 <= int(match[1]) <= 100:
            raise ValueError("a percentage is from 1% to 100%")
        return Mark(text, fraction=int(match[1]) / 100)
    if _PHASE.fullmatch(f"{text} end"):
        raise ValueError(f'say which: "{text} start" or "{text} end"')
    raise ValueError(nearest(text, STAGES) or "it cannot be read")


def read_starts(value: Any) -> dict[str, int]:
    """How many workers to start on each event.

    Raises:
        ValueError: it is no table of such.
    """
    if not isinstance(value, dict) or not value:
        raise ValueError("it is not such a table")
    for name, count in value.items():
        try:
            read_name(name)
        except ValueError:
            raise ValueError(f"{shown(name)} is no name of an event") from None
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name}: {shown(count)} is no number of workers")
    return dict(value)


@dataclass(frozen=True)
class Emit:
    """``[[job.emit]]``: an event, and when it is emitted."""

    event: Annotated[Name, Help("The name of the event.")]
    at: Annotated[
        Mark, Written(read_mark, _MARK, {"type": "string"}), Help("Where in the worker's life.")
    ]
    delay: Annotated[Seconds, Help("How long after that.")] = 0.0

    def __str__(self) -> str:
        later = f" after {duration_words(self.delay)}" if self.delay else ""
        return f"{self.event} at {self.at}{later}"


@dataclass(frozen=True)
class StartTime:
    """``[[job.at]]``: times at which workers are started."""

    every: Annotated[Every, Help("How often.")]
    start: Annotated[int, Ge(1), Help("How many workers to start.")] = 1
    at: Annotated[str | None, Help("When within that.")] = None

    def __str__(self) -> str:
        return f"every {self.every}" + (f" at {self.at}" if self.at is not None else "")

    def after(self, moment: float) -> float:
        """When it comes next after *moment*, seconds since the epoch."""
        return next_after(self.every, self.at, moment)


def _time_fits(row: StartTime) -> tuple[str, str] | None:
    return None if fits(row.every, row.at) else ("at", at_expected(row.every))


@dataclass(frozen=True)
class EventKeys:
    """The keys of a job that are about events, times and starts that were asked for."""

    start_on: Annotated[
        Mapping[str, int],
        Written(
            read_starts,
            'a table such as { "disk-free" = 2 }',
            {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        ),
        Help("Events on which workers start, and how many; the job starts nothing else."),
    ] = field(default_factory=dict)
    queue: Annotated[
        bool,
        Help("true: starts that were asked for and cannot be at once are kept for later."),
    ] = False
    events: Annotated[bool, Help("false: the job emits no events.")] = True
    emit: Annotated[
        tuple[Emit, ...],
        Tables(Emit, many=True),
        Help(
            "`[[job.emit]]` tables, each an event that every worker emits: `event` is its name, "
            '`at` a stage, "2 start", "3:1 end" or "60%", `delay` a duration.'
        ),
    ] = ()
    at: Annotated[
        tuple[StartTime, ...],
        Tables(StartTime, many=True, check=_time_fits),
        Help(
            '`[[job.at]]` tables, times at which workers start: `every` "day", "monday", '
            '"6 hours"…, `at` a time within that, `start` how many.'
        ),
    ] = ()

    @property
    def waits(self) -> bool:
        """Whether the job starts only on events, at times, or by hand."""
        return bool(self.start_on or self.at)

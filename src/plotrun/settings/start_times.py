"""Fixed times of starts, by the library `schedule`: "every day at 22:00", "every 6 hours".

`schedule` reads them and works out when the next one comes. It would ask the machine what time it
is; here a copy of it is loaded whose "now" is the moment that it is asked about, so that the same
question always has the same answer.
"""

from __future__ import annotations

import importlib.util
import re
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from datetime import time as time_of_day
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any

from plotrun.settings.types import Written

_OFTEN = ("second", "minute", "hour")
_UNITS = (*_OFTEN, "day", "week")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOST = 1000
_EVERY = re.compile(r"(?:(\d{1,4}) )?([a-z]+)")
_moment: ContextVar[datetime] = ContextVar("moment")


@dataclass(frozen=True)
class HowOften:
    """How often something comes: "day", "monday", "6 hours"."""

    number: int
    unit: str
    """As `schedule` calls it: "day", "monday", "hours"."""

    def __str__(self) -> str:
        return self.unit if self.number == 1 else f"{self.number} {self.unit}"


def read_every(value: Any) -> HowOften:
    """How often *value* says.

    Raises:
        ValueError: it cannot be read.
    """
    if not isinstance(value, str):
        raise ValueError("it is not text")
    match = _EVERY.fullmatch(" ".join(value.lower().split()))
    if match is None or match[2] not in {*_UNITS, *(f"{unit}s" for unit in _UNITS), *_WEEKDAYS}:
        raise ValueError("it cannot be read")
    number, unit = int(match[1] or 1), match[2]
    if not 1 <= number <= _MOST:
        raise ValueError(f"a number is from 1 to {_MOST}")
    if number > 1 and unit in _WEEKDAYS:
        raise ValueError(f"{unit} comes every week: no number before it")
    if number == 1:
        unit = unit.removesuffix("s") if unit.removesuffix("s") in _UNITS else unit
    else:
        unit = f"{unit.removesuffix('s')}s"
    return HowOften(number, unit)


Every = Annotated[
    HowOften,
    Written(read_every, '"day", "monday", "hour", or a number as in "6 hours"', {"type": "string"}),
]


def fits(every: HowOften, at: str | None) -> bool:
    """Whether *at* is a time within *every*, by `schedule`'s own reading."""
    library = _library()
    try:
        _scheduled(library, every, at)
    except (library.ScheduleError, TypeError, ValueError):
        return False
    return True


def at_expected(every: HowOften) -> str:
    """In words, what time may stand beside *every*."""
    unit = every.unit.removesuffix("s")
    if unit == "day" or unit in _WEEKDAYS:
        return 'a time such as "22:00"'
    words = {
        "hour": 'minutes after the hour, such as ":30"',
        "minute": 'seconds after the minute, such as ":30"',
        "week": 'no time; a week has one if its day is named: every = "monday"',
    }
    return words.get(unit, "no time")


def next_after(every: HowOften, at: str | None, moment: float) -> float:
    """When it comes next after *moment*; both in seconds since the epoch.

    Times of the day are those of the clock on the wall: a time that is left out when clocks are
    set forward comes as much later, one that comes twice when they are set back comes once. Hours,
    minutes and seconds are real ones.
    """
    zone: tzinfo | None = None
    if every.unit.removesuffix("s") in _OFTEN:
        # Local, for minutes of the hour; but as if the clock were not set on the way.
        zone = timezone(timedelta(seconds=time.localtime(moment).tm_gmtoff))
    now = datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
    while True:
        now = _next(every, at, now)
        found = now.replace(tzinfo=zone).timestamp()
        if found > moment:  # not so in an hour that comes twice, the second time
            return found


def _next(every: HowOften, at: str | None, now: datetime) -> datetime:
    job = _scheduled(_library(), every, at)
    token = _moment.set(now)
    try:
        job.do(lambda: None)
    finally:
        _moment.reset(token)
    following: datetime = job.next_run
    return following


def _scheduled(library: ModuleType, every: HowOften, at: str | None) -> Any:
    job = getattr(library.Scheduler().every(every.number), every.unit)
    return job if at is None else job.at(at)


class _Datetime(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # noqa: ARG003
        """The moment that is asked about."""
        return _moment.get()


@cache
def _library() -> ModuleType:
    """A copy of `schedule` for this file alone."""
    spec = importlib.util.find_spec("schedule")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = {"datetime": _Datetime, "timedelta": timedelta, "time": time_of_day}
    module.datetime = SimpleNamespace(**names)  # type: ignore[attr-defined]
    return module

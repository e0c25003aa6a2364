"""Hours of the day and days of the week at which a job may start, by the clock on the wall.

When clocks are set back, an hour comes twice and is open twice; when they are set forward, a
window that would open in the hour left out opens where the clock goes on.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from plotrun import (
    DAYS,
    Help,
    Hold,
    Job,
    SettingsSection,
    Written,
    hookimpl,
    moment_words,
)

if TYPE_CHECKING:
    from plotrun import Clock

DAY, WEEK = 24 * 60, 7 * 24 * 60
"""Minutes."""
_WINDOW = re.compile(
    r"(?:([a-z]{3}(?:\s*,\s*[a-z]{3})*)\s+)?(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)", re.IGNORECASE
)


@dataclass(frozen=True)
class Window:
    """Open for some time from a minute of the day."""

    text: str
    """As it was written."""
    begins: int
    """Minutes since midnight."""
    lasts: int
    """Minutes, a day at most: it may go on after midnight."""
    days: tuple[int, ...] | None = None
    """Days on which it begins, from 0 for Monday; None: those of the job."""


def read_days(value: Any) -> tuple[int, ...]:
    """Days of the week, from 0 for Monday, of "sat" or ["sat", "sun"].

    Raises:
        ValueError: one is no day, or there is none.
    """
    names = value if isinstance(value, list) else [value]
    if not names:
        raise ValueError("the list is empty")
    for name in names:
        if not isinstance(name, str) or name.lower() not in DAYS:
            raise ValueError(f"a day is one of {', '.join(DAYS)}")
    return tuple(sorted({DAYS.index(name.lower()) for name in names}))


def read_windows(value: Any) -> tuple[Window, ...]:
    """Windows of "22:00-06:00", or a list of such.

    Raises:
        ValueError: one cannot be read, or there is none.
    """
    texts = value if isinstance(value, list) else [value]
    if not texts:
        raise ValueError("the list is empty")
    return tuple(map(_window, texts))


def _window(text: Any) -> Window:
    if not isinstance(text, str):
        raise ValueError(f"{text} is not text")
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'"{text}" cannot be read')
    days = read_days(re.split(r"\s*,\s*", match[1])) if match[1] else None
    begins, ends = _minute(text, match[2], match[3]), _minute(text, match[4], match[5])
    if begins == DAY:
        raise ValueError(f'"{text}" begins at 24:00: write 00:00')
    if begins == ends:
        raise ValueError(f'"{text}" is empty: the whole day is 00:00-24:00')
    return Window(text.strip(), begins, (ends - begins) % DAY or DAY, days)


def _minute(text: str, hours: str, minutes: str) -> int:
    minute = 60 * int(hours) + int(minutes)
    if int(minutes) > 59 or minute > DAY:
        raise ValueError(f'"{text}": there is no {hours}:{minutes}')
    return minute


_STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_SCHEMA = {"anyOf": [{"type": "string"}, _STRINGS]}
Days = Annotated[
    tuple[int, ...],
    Written(read_days, 'a list of days such as ["mon", "tue"]', _SCHEMA),
]
Windows = Annotated[
    tuple[Window, ...],
    Written(
        read_windows, 'hours such as "22:00-06:00" or "sat,sun 00:00-24:00", or a list', _SCHEMA
    ),
]
ALWAYS = (Window("00:00-24:00", 0, DAY),)
EVERY_DAY = tuple(range(7))


@dataclass(frozen=True)
class HoursKeys:
    """The keys added to every job."""

    start_hours: Annotated[
        Windows | None,
        Help(
            "Hours of the day, in local time, at which the job may start workers; those that run "
            "go on. A window may name days of its own, and be longer than to midnight: it belongs "
            "to the day on which it begins."
        ),
    ] = None
    start_days: Annotated[
        Days | None,
        Help("Days of the week on which it may, for hours that name no days. Default: all."),
    ] = None


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of hours."""
    return SettingsSection("hours", job_keys=HoursKeys)


@hookimpl
def plotrun_hold(job: Job, clock: Clock) -> Hold | None:
    """Hold the start outside the job's hours, until they begin."""
    keys = job.keys(HoursKeys)
    if keys.start_hours is None and keys.start_days is None:
        return None
    now = clock.now()
    hours, days = keys.start_hours or ALWAYS, keys.start_days or EVERY_DAY
    opens = opens_at(hours, days, now)
    if opens == now:
        return None
    words = ", ".join(window.text for window in hours)
    if keys.start_days is not None:
        words += f" on {', '.join(DAYS[day] for day in days)}"
    return Hold(
        f"outside its hours ({words}): opens {moment_words(opens, now)}", opens, only_timing=True
    )


def opens_at(windows: Sequence[Window], days: Sequence[int], now: float) -> float:
    """The first moment from *now* on at which a window is open: *now* if one is."""
    while True:
        wait = min(_minutes_until(window, window.days or days, now) for window in windows)
        if wait == 0:
            return now
        then = now - now % 60 + 60 * wait
        if _offset(then) == _offset(now):
            return then
        now = _next_change(now, then)  # the clock is set in between: look again from there


def _minutes_until(window: Window, days: Sequence[int], at: float) -> int:
    """Minutes on the clock until the window is open, counted from the minute of *at*."""
    local = time.localtime(at)
    minute = DAY * local.tm_wday + 60 * local.tm_hour + local.tm_min
    waits = []
    for day in days:
        since = (minute - DAY * day - window.begins) % WEEK
        waits.append(0 if since < window.lasts else WEEK - since)
    return min(waits)


def _offset(at: float) -> int:
    """How many seconds local time is ahead of UTC."""
    return time.localtime(at).tm_gmtoff


def _next_change(before: float, after: float) -> float:
    """The moment between the two from which the offset is that of *after*: a whole second."""
    low, high = int(before), int(after)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle) == _offset(after):
            high = middle
        else:
            low = middle
    return float(high)

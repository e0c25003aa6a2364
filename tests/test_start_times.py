"""Fixed times: what `schedule` reads, when they come, and the runner's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import Farm
from plotrun import EventKind
from plotrun.settings.start_times import at_expected, fits, next_after, read_every
from simulated import DAY, EPOCH, HOUR, MINUTE, simulate_events
from test_between_jobs import job, starts, times, write


@pytest.mark.parametrize(
    ("every", "at", "right"),
    [
        ("day", "22:00", True),
        ("Day", None, True),
        ("3 days", "06:30:15", True),
        ("monday", "08:00", True),
        ("hour", ":30", True),
        ("6 hours", None, True),
        ("minute", ":15", True),
        ("day", "24:00", False),
        ("day", "22", False),
        ("day", ":30", False),
        ("week", "22:00", False),
        ("20 seconds", ":10", False),
    ],
)
def test_what_may_stand_beside_how_often(every: str, at: str | None, right: bool) -> None:
    assert fits(read_every(every), at) is right
    if not right:
        assert "time" in at_expected(read_every(every))


@pytest.mark.parametrize("every", ["0 days", "2 mondays", "fortnight", "", "1001 hours", "-1 days"])
def test_what_is_no_how_often(every: str) -> None:
    with pytest.raises(ValueError, match=r"read|from 1|every week"):
        read_every(every)


BERLIN = [
    # The clock goes from 02:00 to 03:00 on March 28th, 2027, and back from 03:00 on October 31st.
    ("day", "02:30", "2027-03-27 03:00", ["28 03:30", "29 02:30"]),
    ("day", "02:30", "2027-10-30 03:00", ["31 02:30", "01 02:30"]),
    ("day", "22:00", "2027-03-27 12:00", ["27 22:00", "28 22:00", "29 22:00"]),
    ("6 hours", None, "2027-03-27 23:00", ["28 06:00", "28 12:00"]),
    ("hour", ":30", "2027-03-28 01:45", ["28 03:30", "28 04:30"]),
    ("monday", "22:00", "2027-03-28 00:00", ["29 22:00", "05 22:00"]),
    ("3 days", "22:00", "2027-03-27 22:00", ["30 22:00", "02 22:00"]),
    ("week", None, "2027-03-27 12:00", ["03 12:00"]),
]


@pytest.mark.parametrize(("every", "at", "moment", "expected"), BERLIN)
def test_times_are_those_of_the_clock_on_the_wall(
    zone: Callable[[str], None], every: str, at: str | None, moment: str, expected: list[str]
) -> None:
    zone("Europe/Berlin")
    then = datetime.fromisoformat(moment).timestamp()
    shown = []
    for _ in expected:
        then = next_after(read_every(every), at, then)
        shown.append(time.strftime("%d %H:%M", time.localtime(then)))
    assert shown == expected


@given(
    every=st.sampled_from(["day", "sunday", "hour", "minute", "5 hours", "2 days", "week"]),
    moment=st.floats(EPOCH, EPOCH + 2 * 365 * DAY),
)
def test_the_next_time_is_always_later(every: str, moment: float) -> None:
    often = read_every(every)
    following = next_after(often, None, moment)
    longest = {"hour": 1, "minute": 1 / 60, "5 hours": 5, "day": 25, "2 days": 49}.get(every, 169)
    assert moment < following <= moment + longest * HOUR + 0.001


def at_0900(farm: Farm, zone: Callable[[str], None], **keys: object) -> float:
    """A job that starts two workers every day at nine; answers the first time, in seconds."""
    zone("UTC")
    table = {"every": "day", "at": "09:00", "start": 2}
    write(farm, job(farm, "a", at=[table], **keys))
    return next_after(read_every("day"), "09:00", EPOCH) - EPOCH


def test_workers_start_at_their_time_and_nothing_else_starts(
    farm: Farm, zone: Callable[[str], None]
) -> None:
    nine = at_0900(farm, zone)
    assert HOUR <= nine < DAY / 2, "the simulation begins before nine"
    # Restarts, one in the minute in which the time comes: neither repeated nor forgotten.
    restarts = [nine - 5, nine + 1, nine + 10, nine + HOUR, nine + DAY - 1]
    events = simulate_events(farm, (nine + DAY + HOUR) / DAY, 5 * MINUTE, restarts=restarts)
    expected = [nine, nine, nine + DAY, nine + DAY]
    assert starts(events, "a") == pytest.approx(expected, abs=2)


def test_two_tables_of_one_time_add_up(farm: Farm, zone: Callable[[str], None]) -> None:
    zone("UTC")
    tables = [{"every": "day", "at": "09:00", "start": count} for count in (1, 2)]
    write(farm, job(farm, "a", at=tables))
    nine = next_after(read_every("day"), "09:00", EPOCH) - EPOCH
    events = simulate_events(farm, (nine + HOUR) / DAY, 5 * MINUTE)
    assert starts(events, "a") == pytest.approx([nine] * 3, abs=2)


def test_a_time_that_passed_while_plotrun_was_down_is_passed_over(
    farm: Farm, zone: Callable[[str], None]
) -> None:
    nine = at_0900(farm, zone)
    simulate_events(farm, (nine - HOUR / 2) / DAY, 5 * MINUTE)
    later = simulate_events(farm, 0.1, 5 * MINUTE, epoch=EPOCH + nine + HOUR)
    assert starts(later, "a") == []


def test_one_that_came_half_a_minute_ago_is_not(farm: Farm, zone: Callable[[str], None]) -> None:
    nine = at_0900(farm, zone)
    simulate_events(farm, (nine - HOUR / 2) / DAY, 5 * MINUTE)
    later = simulate_events(farm, 0.05, 5 * MINUTE, epoch=EPOCH + nine + 30)
    assert len(starts(later, "a")) == 2


def test_what_a_time_cannot_start_is_dropped_and_said(
    farm: Farm, zone: Callable[[str], None]
) -> None:
    nine = at_0900(farm, zone, max_workers=1)
    events = simulate_events(farm, (nine + HOUR) / DAY, 5 * MINUTE)
    assert len(starts(events, "a")) == 1
    (dropped,) = [e for e in events if e.kind is EventKind.STARTS_DROPPED]
    assert dropped.data["asked_by"] == "every day at 09:00"
    assert times(events, EventKind.JOB_EVENT) == []

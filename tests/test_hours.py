"""Hours and days by the clock on the wall, also on the days on which it is set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asked import Asked
from farm import Farm
from plotrun import EventKind
from plotrun.builtin.hours import EVERY_DAY, opens_at, read_days, read_windows
from simulated import HOUR, simulate_events

BERLIN = ZoneInfo("Europe/Berlin")
FORWARD, BACK = "2027-03-28", "2027-10-31"
"""Sundays on which 02:00 becomes 03:00, and 03:00 becomes 02:00."""


@pytest.fixture(autouse=True)
def berlin(zone: Callable[[str], None]) -> None:
    zone("Europe/Berlin")


def at(text: str, fold: int = 0) -> float:
    """A time of Berlin's clocks; *fold* 1 is the second time that they show it."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


NIGHT = {"start_hours": "22:00-06:00"}
WEEKDAYS = {"start_days": ["mon", "tue", "wed", "thu", "fri"]}


@pytest.mark.parametrize(
    ("keys", "now", "opens"),
    [
        # 2027-01-04 is a Monday
        (NIGHT, "2027-01-04T21:59:59", "2027-01-04T22:00"),
        (NIGHT, "2027-01-04T22:00", None),
        (NIGHT, "2027-01-05T05:59:59", None),
        (NIGHT, "2027-01-05T06:00", "2027-01-05T22:00"),
        ({"start_hours": ["12:00-14:00", "22:00-06:00"]}, "2027-01-04T09:30", "2027-01-04T12:00"),
        ({"start_hours": ["12:00-14:00", "22:00-06:00"]}, "2027-01-04T14:00", "2027-01-04T22:00"),
        (WEEKDAYS, "2027-01-08T23:59:59", None),
        (WEEKDAYS, "2027-01-09T00:00", "2027-01-11T00:00"),
        # a night belongs to the day on which it begins
        (NIGHT | {"start_days": "sun"}, "2027-01-04T05:59", None),
        (NIGHT | {"start_days": "sun"}, "2027-01-04T06:00", "2027-01-10T22:00"),
        (NIGHT | {"start_days": "mon"}, "2027-01-04T05:59", "2027-01-04T22:00"),
        ({"start_hours": ["00:00-24:00"], "start_days": ["Wed"]}, "2027-01-06T23:59", None),
        ({"start_hours": ["00:00-24:00"], "start_days": ["Wed"]}, "2027-01-07", "2027-01-13"),
        # a window may have days of its own
        (
            WEEKDAYS | {"start_hours": ["22:00-06:00", "sat, sun 8:00-10:00"]},
            "2027-01-09T06:00",
            "2027-01-09T08:00",
        ),
        (
            WEEKDAYS | {"start_hours": ["22:00-06:00", "sat,sun 08:00-10:00"]},
            "2027-01-10T10:00",
            "2027-01-11T22:00",
        ),
    ],
)
def test_hours_and_days(keys: dict, now: str, opens: str | None, farm: Farm) -> None:
    hold = Asked(farm, **keys).hold(now=at(now))
    assert (hold.until if hold else None) == (at(opens) if opens else None)


def test_a_job_without_hours_is_never_held_by_them(farm: Farm) -> None:
    assert Asked(farm).hold(now=at("2027-01-04T12:00")) is None


def test_the_reason_says_what_is_allowed_and_when_it_opens(farm: Farm) -> None:
    asked = Asked(farm, start_hours="22:00-06:00", start_days=["fri", "mon"])
    expected = "outside its hours (22:00-06:00 on mon, fri): opens Fri 22:00"
    assert asked.reason(now=at("2027-01-05T12:00")) == expected


@pytest.mark.parametrize(
    ("hours", "now", "opens"),
    [
        # forward: 01:59:59 is followed by 03:00
        ("02:30-05:00", at(f"{FORWARD}T01:00"), at(f"{FORWARD}T03:00")),
        ("02:30-05:00", at(f"{FORWARD}T03:00"), None),
        ("02:10-02:50", at(f"{FORWARD}T01:00"), at("2027-03-29T02:10")),
        ("01:00-02:30", at(f"{FORWARD}T01:59"), None),
        ("01:00-02:30", at(f"{FORWARD}T03:00"), at("2027-03-29T01:00")),
        ("22:00-06:00", at(f"{FORWARD}T05:59"), None),
        ("22:00-06:00", at(f"{FORWARD}T06:00"), at(f"{FORWARD}T22:00")),
        ("12:00-13:00", at("2027-03-27T13:00"), at(f"{FORWARD}T12:00")),
        # back: the first 02:59:59 is followed by the second 02:00
        ("02:30-05:00", at(f"{BACK}T01:00"), at(f"{BACK}T02:30")),
        ("02:30-05:00", at(f"{BACK}T02:30"), None),
        ("02:30-05:00", at(f"{BACK}T02:00", fold=1), at(f"{BACK}T02:30", fold=1)),
        ("01:00-02:30", at(f"{BACK}T02:30"), at(f"{BACK}T02:00", fold=1)),
        ("01:00-02:30", at(f"{BACK}T02:29", fold=1), None),
        ("01:00-02:30", at(f"{BACK}T02:30", fold=1), at("2027-11-01T01:00")),
        ("12:00-13:00", at("2027-10-30T13:00"), at(f"{BACK}T12:00")),
    ],
)
def test_the_days_on_which_clocks_are_set(hours: str, now: float, opens: float | None) -> None:
    assert opens_at(read_windows(hours), EVERY_DAY, now) == (now if opens is None else opens)


def shown_open(text: str, days: tuple[int, ...], moment: float) -> bool:
    """Whether Berlin's clocks are within a window, by another way than the rule's."""
    shown = datetime.fromtimestamp(moment, UTC).astimezone(BERLIN).replace(tzinfo=None)
    begin, end = text.split("-")
    hour, minute = map(int, begin.split(":"))
    for back in (0, 1):
        first = shown.replace(hour=hour, minute=minute, second=0) - timedelta(days=back)
        last = datetime.combine(first.date(), datetime.min.time()) + timedelta(
            hours=int(end[:2]), minutes=int(end[3:])
        )
        last += timedelta(days=1) if last <= first else timedelta()
        if first.weekday() in days and first <= shown < last:
            return True
    return False


clock_times = st.builds("{:02}:{:02}".format, st.integers(0, 5), st.sampled_from((0, 15, 30, 59)))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ends=st.tuples(clock_times, clock_times).filter(lambda pair: pair[0] != pair[1]),
    days=st.sets(st.sampled_from((0, 5, 6)), min_size=1),
    change=st.sampled_from((at(f"{FORWARD}T03:00"), at(f"{BACK}T02:00", fold=1))),
    before=st.integers(-5 * 60, 26 * 60),
)
def test_it_opens_at_the_first_minute_at_which_the_clock_is_within(
    ends: tuple[str, str], days: set[int], change: float, before: int
) -> None:
    text, now = "-".join(ends), change - 60 * before
    chosen = tuple(sorted(days))
    minutes = (now + 60 * n for n in range(8 * 24 * 60))
    expected = next(m for m in minutes if shown_open(text, chosen, m))
    assert opens_at(read_windows(text), chosen, now) == expected


@pytest.mark.parametrize(
    ("begin", "first"),
    [
        (f"{FORWARD}T00:00", at(f"{FORWARD}T03:00")),
        (f"{BACK}T00:00", at(f"{BACK}T02:30")),
    ],
)
def test_starts_in_simulated_time_on_the_days_on_which_clocks_are_set(
    begin: str, first: float, farm: Farm
) -> None:
    farm.write(
        plotter="chia", plots=0, k=32, max_workers=99, stagger="20m", start_hours="2:30-4:00"
    )
    epoch = at(begin)
    events = simulate_events(farm, 1.5, 10 * HOUR, epoch=epoch)
    starts = [event.at for event in events if event.kind is EventKind.PLOTTER_STARTED]
    assert starts[0] == pytest.approx(first, abs=1)
    for moment in starts:
        assert shown_open("02:30-04:00", EVERY_DAY, moment)
    shown = [datetime.fromtimestamp(moment).strftime("%d %H:%M") for moment in starts]
    day = begin[8:10]
    expected = {
        FORWARD: [f"{day} 03:00", f"{day} 03:20", f"{day} 03:40"],
        BACK: [
            f"{day} {t}" for t in ("02:30", "02:50", "02:30", "02:50", "03:10", "03:30", "03:50")
        ],
    }
    assert [words for words in shown if words.startswith(day)] == expected[begin[:10]]
    assert len(shown) > len(expected[begin[:10]]), "it opens again on the next day"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"start_hours": "22-6"}, '"22-6" cannot be read'),
        ({"start_hours": []}, "the list is empty"),
        ({"start_hours": 22}, "22 is not text"),
        ({"start_hours": ["22:00-06:00", "25:00-06:00"]}, "there is no 25:00"),
        ({"start_hours": "22:60-06:00"}, "there is no 22:60"),
        ({"start_hours": "24:00-06:00"}, "begins at 24:00: write 00:00"),
        ({"start_hours": "06:00-06:00"}, "is empty: the whole day is 00:00-24:00"),
        ({"start_hours": "fry 22:00-06:00"}, "a day is one of mon, tue, wed, thu, fri, sat, sun"),
        ({"start_days": ["monday"]}, "a day is one of mon"),
        ({"start_days": []}, "the list is empty"),
        ({"start_days": 1}, 'expected a list of days such as ["mon", "tue"]'),
    ],
)
def test_wrong_values_are_messages(keys: dict, said: str, farm: Farm) -> None:
    from plotrun.settings.problems import SettingsError

    with pytest.raises(SettingsError) as wrong:
        Asked(farm, **keys)
    assert said in str(wrong.value)


def test_days_are_read_in_any_case_and_once() -> None:
    assert read_days(["Sun", "mon", "MON"]) == (0, 6)
